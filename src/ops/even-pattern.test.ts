import { describe, expect, it } from 'vitest';
import { type EvenPattern, evenPattern } from './even-pattern';

function expand({ start, dims, steps }: EvenPattern): number[] {
  return dims.reduceRight<number[]>(
    (inner, size, d) => Array.from({ length: size }, (_, i) => inner.map((at) => at + i * (steps[d] as number))).flat(),
    [start],
  );
}

describe('evenPattern', () => {
  it.each([
    [[3]],
    [[1, 3, 5]],
    [[4, 2, 0]],
    [[7, 7, 7]],
    [[0, 0, 1, 1, 2, 2]],
    [[0, 3, 1, 4, 2, 5]],
    [[5, 4, 3, 9, 8, 7]],
  ])('finds a walk that visits %j', (indices) => {
    const pattern = evenPattern(indices);
    expect(pattern && expand(pattern)).toEqual(indices);
  });

  it.each([[[]], [[0, 1, 3]], [[0, 1, 2, 4, 5, 7]], [[0, 1, 4, 5, 2, 3]]])('finds none in %j', (indices) => {
    expect(evenPattern(indices)).toBeUndefined();
  });
});
