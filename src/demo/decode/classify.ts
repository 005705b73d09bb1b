// A classifier's scores [1, n] → the best classes with probabilities. Scores that are not probabilities
// already (all in 0..1 and adding up to 1) go through a softmax.

import type { Output } from './boxes';

export interface Ranked {
  readonly label: string;
  /** Probability in 0..1. */
  readonly score: number;
}

export function decodeClasses({ data }: Output, labels: readonly string[], count = 5): Ranked[] {
  const scores = probabilities(data);
  return Array.from(scores, (score, i) => ({ score, label: labels[i] ?? `class ${i}` }))
    .sort((a, b) => b.score - a.score)
    .slice(0, count);
}

function probabilities(data: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(data);
  const sum = values.reduce((a, b) => a + b, 0);
  // float16 probabilities add up to 1 within a few thousandths.
  if (values.every((v) => v >= 0 && v <= 1) && Math.abs(sum - 1) < 0.02) return values;
  const top = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = values.map((v) => Math.exp(v - top));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((v) => v / total);
}
