// Boxes as every detector's decoder gives them: corners in pixels of the network's input, best first.
// Invariant: `suppress` keeps the order and drops a box only for a better one of the same label.

export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
  /** Confidence in 0..1. */
  readonly score: number;
  readonly label: string;
  /** Landmarks such as eyes and mouth, in the same pixels. */
  readonly points?: readonly (readonly [number, number])[];
}

/** What a decoder needs of an output tensor. */
export interface Output {
  readonly data: ArrayLike<number>;
  readonly dims: readonly number[];
}
export type Outputs = Readonly<Record<string, Output>>;

/** Intersection over union, 0..1. */
export function overlap(a: Box, b: Box): number {
  const w = Math.min(a.x1, b.x1) - Math.max(a.x0, b.x0);
  const h = Math.min(a.y1, b.y1) - Math.max(a.y0, b.y0);
  if (w <= 0 || h <= 0) return 0;
  const area = (box: Box) => (box.x1 - box.x0) * (box.y1 - box.y0);
  return (w * h) / (area(a) + area(b) - w * h);
}

/** Greedy non-maximum suppression: best first, without boxes that overlap a better one by more than `limit`. */
export function suppress(boxes: readonly Box[], limit: number): Box[] {
  const kept: Box[] = [];
  for (const box of [...boxes].sort((a, b) => b.score - a.score)) {
    if (!kept.some((better) => better.label === box.label && overlap(better, box) > limit)) kept.push(box);
  }
  return kept;
}

/** The output of that name; a decoder is only chosen for models that have it. */
export function output(outputs: Outputs, name: string): Output {
  const found = outputs[name];
  if (!found) throw new Error(`The model gave no output "${name}", but ${Object.keys(outputs).join(', ')}.`);
  return found;
}
