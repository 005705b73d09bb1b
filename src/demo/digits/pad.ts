// The sheet to draw on, with mouse, finger or pen. What is drawn is kept as strokes, in widths of the sheet, so that it can
// be drawn again in other colours and sizes, and made a picture for the network without a detour over pixels.

import type { Point, Stroke } from './ink';

export interface Pad {
  readonly strokes: readonly Stroke[];
  /** Another drawing in place of what is there; none clears the sheet. */
  show(strokes: readonly Stroke[]): void;
  /** In the page's colours of the moment. */
  redraw(): void;
}

const penWidth = 0.075;

/** @param onChange called after every movement of the pen, and when another drawing is shown */
export function makePad(canvas: HTMLCanvasElement, onChange: () => void): Pad {
  const context = canvas.getContext('2d')!;
  let strokes: Point[][] = [];
  /** The one that is being drawn, and by which finger. */
  let pen: { readonly id: number; readonly stroke: Point[] } | undefined;

  const redraw = () => {
    const { width, height } = canvas;
    context.clearRect(0, 0, width, height);
    context.strokeStyle = getComputedStyle(canvas).color;
    context.lineWidth = penWidth * width;
    context.lineCap = 'round';
    context.lineJoin = 'round';
    for (const stroke of strokes) {
      context.beginPath();
      const [first] = stroke;
      if (first) context.moveTo(first[0] * width, first[1] * height);
      for (const [x, y] of stroke) context.lineTo(x * width, y * height);
      context.stroke();
    }
  };
  const changed = () => {
    redraw();
    onChange();
  };
  const pointOf = (event: PointerEvent): Point => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    // The sheet may be letterboxed in its element.
    const size = Math.min(width, height);
    return [(event.clientX - left - (width - size) / 2) / size, (event.clientY - top - (height - size) / 2) / size];
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (pen || event.button !== 0) return;
    event.preventDefault();
    // Events that scripts make have no pointer to capture.
    if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
    pen = { id: event.pointerId, stroke: [pointOf(event)] };
    strokes.push(pen.stroke);
    changed();
  });
  canvas.addEventListener('pointermove', (event) => {
    if (pen?.id !== event.pointerId) return;
    const between = event.getCoalescedEvents();
    for (const each of between.length > 0 ? between : [event]) pen.stroke.push(pointOf(each));
    changed();
  });
  for (const name of ['pointerup', 'pointercancel'] as const) {
    canvas.addEventListener(name, (event) => {
      if (pen?.id === event.pointerId) pen = undefined;
    });
  }
  redraw();
  return {
    get strokes() {
      return strokes;
    },
    show(drawing) {
      strokes = drawing.map((stroke) => [...stroke]);
      pen = undefined;
      changed();
    },
    redraw,
  };
}
