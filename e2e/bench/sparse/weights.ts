// Weights drawn from a seed, with zeros that lie in several ways.

import { mulberry32 } from '../../support/random';

/** Sparse weights as a matrix of rows by everything else. */
export interface Weights {
  readonly structure: string;
  readonly zeros: number;
  data(): Float32Array;
}

/** Never zero, and on a scale that keeps sums of a thousand of them small. */
export function drawn(count: number, seed = 1): Float32Array {
  const random = mulberry32(seed);
  return Float32Array.from({ length: count }, () => (random() < 0.5 ? -1 : 1) * (0.02 + 0.03 * random()));
}

/** Whole blocks of height × width are zero or not. */
export function blocks([rows, columns]: readonly [number, number], zeros: number, height = 1, width = 1): Weights {
  const structure = height * width === 1 ? 'random' : `blocks ${height}×${width}`;
  const data = () => {
    const random = mulberry32(3);
    const across = Math.ceil(columns / width);
    const kept = Uint8Array.from({ length: Math.ceil(rows / height) * across }, () => Number(random() >= zeros));
    return drawn(rows * columns).map((value, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      return value * (kept[Math.floor(row / height) * across + Math.floor(column / width)] as number);
    });
  };
  return { structure, zeros, data };
}

/** One row in sixteen has most of the non-zeros. */
export function skewed([rows, columns]: readonly [number, number], zeros: number): Weights {
  const data = () => {
    const random = mulberry32(4);
    const [heavy, light] = [Math.min(0.9, 12 * (1 - zeros)), (1 - zeros) / 4];
    return drawn(rows * columns).map((value, i) => {
      const share = Math.floor(i / columns) % 16 === 0 ? heavy : light;
      return random() < share ? value : 0;
    });
  };
  return { structure: 'skewed', zeros, data };
}
