// Recognises index lists that are really a walk: one arithmetic progression, or a progression of equal
// progressions, as in [3], [1, 3, 5], [0, 0, 1, 1] and [0, 3, 1, 4, 2, 5]. Such a lookup needs no lookup.

export interface EvenPattern {
  readonly start: number;
  /** Sizes, outer before inner; none for a single index. */
  readonly dims: number[];
  /** For each of `dims`, the distance between neighbours. */
  readonly steps: number[];
}

export function evenPattern(indices: readonly number[]): EvenPattern | undefined {
  const count = indices.length;
  if (count === 0) return undefined;
  const at = (i: number) => indices[i] as number;
  const start = at(0);
  if (count === 1) return { start, dims: [], steps: [] };
  const step = at(1) - start;
  let length = 2;
  while (length < count && at(length) - at(length - 1) === step) length++;
  if (length === count) return { start, dims: [count], steps: [step] };
  if (count % length !== 0) return undefined;
  const jump = at(length) - start;
  for (let i = length; i < count; i++) if (at(i) - at(i - length) !== jump) return undefined;
  return { start, dims: [count / length, length], steps: [jump, step] };
}
