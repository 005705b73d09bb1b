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
  for (const box of [...answer.boxes].reverse()) drawBox(context, box, unit, inkOf(box.label));
  drawTags(context, answer.boxes, unit);
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

interface Rect {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** Names the boxes, best first; a tag that would hide another one, or another box of a crowd, is left out. */
function drawTags(context: CanvasRenderingContext2D, boxes: readonly Box[], unit: number): void {
  context.font = `600 ${12 * unit}px system-ui, sans-serif`;
  context.textBaseline = 'middle';
  const crowd = boxes.length > 12;
  const placed: Rect[] = [];
  for (const box of boxes) {
    const text = `${box.label} ${Math.round(box.score * 100)}`;
    const tag = tagPlace(context, box, context.measureText(text).width + 8 * unit, 17 * unit, unit);
    if (placed.some((other) => meet(tag, other))) continue;
    if (crowd && boxes.some((other) => other !== box && meet(tag, other))) continue;
    placed.push(tag);
    context.fillStyle = inkOf(box.label);
    context.beginPath();
    context.roundRect(tag.x0, tag.y0, tag.x1 - tag.x0, tag.y1 - tag.y0, 3 * unit);
    context.fill();
    context.fillStyle = '#101418';
    context.fillText(text, tag.x0 + 4 * unit, (tag.y0 + tag.y1 + unit) / 2);
  }
}

/** On top of the box, or inside it at the picture's upper edge. */
function tagPlace({ canvas }: CanvasRenderingContext2D, box: Box, width: number, height: number, unit: number): Rect {
  const x0 = Math.min(Math.max(0, box.x0 - 1.25 * unit), canvas.width - width);
  const y0 = box.y0 >= height ? box.y0 - height : Math.min(box.y0, canvas.height - height);
  return { x0, y0, x1: x0 + width, y1: y0 + height };
}

function meet(a: Rect, b: Rect): boolean {
  return a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1;
}
