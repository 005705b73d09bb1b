// Ink: strokes as points, and the 28×28 picture that MNIST would have of them. Its pictures are made alike: scaled so that
// the ink fits a box of 20×20, then placed so that its centre of mass is in the middle.
// http://yann.lecun.com/exdb/mnist/ ("size normalized to fit in a 20x20 pixel box while preserving their aspect ratio")

export type Point = readonly [x: number, y: number];
/** A pen's way from touching the paper to leaving it; one point is a dot. */
export type Stroke = readonly Point[];

/** Pixels along a side of a picture. */
export const side = 28;
export const pixels = side * side;
const box = 20;

/** How wide a pen is, in pixels of the picture: half of the line. */
export const commonRadius = 1.25;

export interface InkOptions {
  readonly radius?: number;
  /** Pixels from full ink to paper; more looks like a softer pen. Default 1. */
  readonly softness?: number;
}

/**
 * The picture: rows from the top, 0 for paper to 1 for ink.
 * @param strokes in any unit, y downwards
 */
export function pictureOf(strokes: readonly Stroke[], { radius = commonRadius, softness = 1 }: InkOptions = {}) {
  const picture = new Float32Array(pixels);
  if (strokes.every((stroke) => stroke.length === 0)) return picture;
  const distances = new Float32Array(pixels).fill(side);
  for (const stroke of placed(strokes, box - 2 * radius)) {
    for (const [a, b] of segments(stroke)) measure(distances, a, b, radius + softness);
  }
  for (let i = 0; i < pixels; i++) {
    picture[i] = Math.min(1, Math.max(0, (radius - (distances[i] as number)) / softness + 0.5));
  }
  return picture;
}

/** Scaled to `size` along the longer side, with the centre of mass in the middle of the picture. */
function placed(strokes: readonly Stroke[], size: number): Stroke[] {
  const bounds = boundsOf(strokes);
  // Dots and specks are not blown up to a whole digit.
  const extent = Math.max(bounds.width, bounds.height);
  const scale = extent > 0 ? size / extent : 0;
  const [cx, cy] = centreOfMass(strokes);
  return strokes.map((stroke) =>
    stroke.map(([x, y]): Point => [(x - cx) * scale + side / 2, (y - cy) * scale + side / 2]),
  );
}

export function boundsOf(strokes: readonly Stroke[]) {
  const xs = strokes.flatMap((stroke) => stroke.map(([x]) => x));
  const ys = strokes.flatMap((stroke) => stroke.map(([, y]) => y));
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return { left, top, width: Math.max(...xs) - left, height: Math.max(...ys) - top };
}

/** Of lines of even width: every piece counts by its length. */
function centreOfMass(strokes: readonly Stroke[]): Point {
  let [x, y, mass] = [0, 0, 0];
  for (const [a, b] of strokes.flatMap(segments)) {
    const length = Math.hypot(b[0] - a[0], b[1] - a[1]) + 1e-9;
    x += (length * (a[0] + b[0])) / 2;
    y += (length * (a[1] + b[1])) / 2;
    mass += length;
  }
  return [x / mass, y / mass];
}

function segments(stroke: Stroke): [Point, Point][] {
  if (stroke.length === 1) return [[stroke[0] as Point, stroke[0] as Point]];
  return stroke.slice(1).map((point, i) => [stroke[i] as Point, point]);
}

/** Lowers the distances of the pixels that are at most `reach` from the line from a to b. */
function measure(distances: Float32Array, [ax, ay]: Point, [bx, by]: Point, reach: number): void {
  const [dx, dy] = [bx - ax, by - ay];
  const squared = dx * dx + dy * dy;
  const from = (a: number, b: number) => Math.max(0, Math.floor(Math.min(a, b) - reach));
  const to = (a: number, b: number) => Math.min(side - 1, Math.ceil(Math.max(a, b) + reach));
  for (let row = from(ay, by); row <= to(ay, by); row++) {
    for (let column = from(ax, bx); column <= to(ax, bx); column++) {
      const [px, py] = [column + 0.5 - ax, row + 0.5 - ay];
      const along = squared > 0 ? Math.min(1, Math.max(0, (px * dx + py * dy) / squared)) : 0;
      const distance = Math.hypot(px - along * dx, py - along * dy);
      const at = row * side + column;
      if (distance < (distances[at] as number)) distances[at] = distance;
    }
  }
}
