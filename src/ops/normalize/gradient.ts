// The backward rule that the normalisations share. In: names of values and how they fall into rows; out: nodes.

import type { Dims } from '../../base/shape';
import type { LowerBuilder } from '../../ir/opdef';
import { reshape, sumTo } from '../gradient';
import type { Rows } from './rows';

/** Gradients of x, of the scale and of a bias of the scale's shape. */
export function normalizeGrad(
  b: LowerBuilder,
  { rows, length, inner, channels, epsilon, centred }: Rows,
  { x, scale, gradient }: { readonly x: string; readonly scale: string; readonly gradient: string },
): [x: string, scale: string, bias: string] {
  const attributes = { length, inner, epsilon, centred: centred ? 1 : 0 };
  const [dx, shares] = b.add('lepton.NormalizationGradient', [x, scale, gradient], attributes, 2) as [string, string];
  const dims: Dims = [(rows * length) / (channels * inner), channels, inner];
  const byChannel = (value: string) =>
    reshape(b, sumTo(b, reshape(b, value, dims), [1, channels, 1]), b.type(scale).dims);
  return [dx, byChannel(shares), byChannel(gradient)];
}
