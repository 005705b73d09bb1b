// Draws a picture and what was found in it onto the stage's canvas, in one animation frame.
// Line widths and letters are in screen pixels, whatever the picture's own size.

import type { Answer } from './answer';
import type { Box } from './decode/boxes';

const inks = ['#4dabf7', '#ffa94d', '#69db7c', '#f783ac', '#b197fc', '#ffe066', '#3bc9db', '#ff8787'];

type Drawable = CanvasImageSource & { readonly width: number; readonly height: number };

/** Resolves once it is drawn. */
export function drawScene(canvas: HTMLCanvasElement, bitmap: Drawable, answer?: Answer): Promise<void> {
  return new Promise((resolve) => {
    requestAnimationFrame(() => {
      draw(canvas, bitmap, answer);
      resolve();
    });
  });
}

function draw(canvas: HTMLCanvasElement, bitmap: Drawable, answer: Answer | undefined): void {
  const shown = answer?.kind === 'picture' ? answer.image : bitmap;
  canvas.width = shown.width;
  canvas.height = shown.height;
  const context = canvas.getContext('2d');
  if (!context) return;
  if (answer?.kind === 'picture') context.putImageData(answer.image, 0, 0);
  else context.drawImage(bitmap, 0, 0);
  if (answer?.kind !== 'boxes') return;
  // How many pixels of the picture make one on the screen.
  const unit = canvas.width / (canvas.clientWidth || canvas.width);
  const crowded = answer.boxes.length > 12;
  const alike = new Set(answer.boxes.map((box) => box.label)).size === 1;
  for (const box of [...answer.boxes].reverse()) {
    drawBox(context, box, unit, inkOf(box.label));
    if (!(crowded && alike)) drawTag(context, box, unit, inkOf(box.label), crowded);
  }
}

const inkByLabel = new Map<string, string>();

/** The colour of a label: the same wherever it is shown, and another one for each as long as there are some. */
export function inkOf(label: string): string {
  const ink = inkByLabel.get(label) ?? inks[inkByLabel.size % inks.length]!;
  inkByLabel.set(label, ink);
  return ink;
}

function drawBox(context: CanvasRenderingContext2D, box: Box, unit: number, ink: string): void {
  const [w, h] = [box.x1 - box.x0, box.y1 - box.y0];
  context.lineJoin = 'round';
  // A dark line under the coloured one keeps the box visible on any ground.
  for (const [width, style] of [
    [4.5, 'rgb(0 0 0 / 55%)'],
    [2.5, ink],
  ] as const) {
    context.lineWidth = width * unit;
    context.strokeStyle = style;
    context.strokeRect(box.x0, box.y0, w, h);
  }
  for (const [x, y] of box.points ?? []) {
    context.beginPath();
    context.arc(x, y, 2.5 * unit, 0, 2 * Math.PI);
    context.fillStyle = ink;
    context.fill();
  }
}

/** In a crowd a tag wider than its box would hide the neighbours: the colour and the list must do. */
function drawTag(context: CanvasRenderingContext2D, box: Box, unit: number, ink: string, crowded: boolean): void {
  const text = `${box.label} ${Math.round(box.score * 100)}`;
  context.font = `600 ${12 * unit}px system-ui, sans-serif`;
  const width = context.measureText(text).width + 8 * unit;
  if (crowded && width > 1.25 * (box.x1 - box.x0)) return;
  const height = 17 * unit;
  const x = Math.min(Math.max(0, box.x0 - 1.25 * unit), context.canvas.width - width);
  const y = box.y0 >= height ? box.y0 - height : Math.min(box.y0, context.canvas.height - height);
  context.fillStyle = ink;
  context.beginPath();
  context.roundRect(x, y, width, height, 3 * unit);
  context.fill();
  context.fillStyle = '#101418';
  context.textBaseline = 'middle';
  context.fillText(text, x + 4 * unit, y + height / 2 + unit / 2);
}
