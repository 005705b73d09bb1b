// Penalties on large weights, added to the loss: l1 sums the magnitudes, l2 the squares.

import { int64s } from '../base/ndarray';
import { number, type Options, readOptions } from '../base/options';
import { sizeOf } from '../base/shape';
import type { Formula } from '../ops/gradient';
import { reshaped } from './tensor';
import type { Named } from './types';

export const regularizerOptions = {
  l1: { l1: number(0.01, [0, Infinity]) },
  l2: { l2: number(0.01, [0, Infinity]) },
  l1l2: { l1: number(0.01, [0, Infinity]), l2: number(0.01, [0, Infinity]) },
} satisfies Record<string, Options>;

/** A float32 scalar. */
export function penalty(f: Formula, weight: string, { name, config }: Named): string {
  const options: Options = regularizerOptions[name as keyof typeof regularizerOptions];
  const { l1 = 0, l2 = 0 } = readOptions(`Regulariser "${name}"`, options, config) as { l1?: number; l2?: number };
  const flat = reshaped(f.b, weight, [sizeOf(f.b.type(weight).dims)]);
  const sum = (value: string) => f.node('ReduceSum', [value, f.b.constant(int64s([0]))], { keepdims: 0 });
  const parts = [
    ...(l1 > 0 ? [f.mul(sum(f.of('Abs', flat)), l1)] : []),
    ...(l2 > 0 ? [f.mul(sum(f.mul(flat, flat)), l2)] : []),
  ];
  return parts.length === 0 ? f.number(0) : parts.reduce((a, part) => f.add(a, part));
}
