// The backward rules of the pooling operators. Positions that MaxPool gives have none.

import { ndarray } from '../../base/ndarray';
import { forEachIndex } from '../../base/shape';
import type { AttributeValue } from '../../ir/graph';
import type { NodeView } from '../../ir/node-view';
import type { LowerBuilder } from '../../ir/opdef';
import { Formula } from '../gradient';
import { forEachTap } from '../window';
import { type PoolAttributes, type PoolNode, paddedTaps, poolWindow } from './shape';

type Gradients = readonly (string | undefined)[];
type Found = (string | undefined)[];

export function maxPoolGrad<A extends PoolAttributes>(n: NodeView<A>, b: LowerBuilder, [dy]: Gradients): Found {
  if (dy === undefined) return [];
  return b.add('lepton.MaxPoolGradient', [n.node.inputs[0] as string, dy], windowOf(n));
}

export function averagePoolGrad<A extends PoolAttributes & { readonly count_include_pad: number }>(
  n: NodeView<A>,
  b: LowerBuilder,
  [dy]: Gradients,
): Found {
  if (dy === undefined) return [];
  const window = poolWindow(n);
  const counts: number[] = [];
  forEachIndex(window.output, (at) => {
    let taps = 0;
    if (n.attributes.count_include_pad === 1) taps = paddedTaps(window, at);
    else forEachTap(window, at, () => taps++);
    counts.push(Math.max(1, taps));
  });
  const { dtype } = n.output(0);
  const f = new Formula(b, dtype);
  const dims = [1, 1, ...window.output.slice(3 - window.rank)];
  const [first = 1] = counts;
  const count = counts.every((c) => c === first) ? first : b.constant(ndarray(dtype, dims, counts));
  return [sumPoolGradient(n, b, f.div(dy, count))];
}

/** With y = (Σ |x|^p)^(1/p), dy/dx = sign(x) · |x|^(p-1) · y^(1-p): zero where everything is. */
export function lpPoolGrad<A extends PoolAttributes & { readonly p: number }>(
  n: NodeView<A>,
  b: LowerBuilder,
  [dy]: Gradients,
): Found {
  if (dy === undefined) return [];
  const { p } = n.attributes;
  const f = new Formula(b, n.output(0).dtype);
  const [x, y] = [n.node.inputs[0], n.node.outputs[0]] as [string, string];
  const sign = f.of('Sign', x);
  if (p === 1) return [f.mul(sign, sumPoolGradient(n, b, dy))];
  const scale = f.keep(f.of('Greater', y, 0), f.of('Pow', y, 1 - p));
  const power = p === 2 ? x : f.mul(sign, f.of('Pow', f.of('Abs', x), p - 1));
  return [f.mul(power, sumPoolGradient(n, b, f.mul(dy, scale)))];
}

function sumPoolGradient(n: PoolNode, b: LowerBuilder, dy: string): string {
  return b.add('lepton.SumPoolGradient', [dy], { ...windowOf(n), size: n.input(0).dims.slice(2) })[0] as string;
}

/** The attributes that all kinds of pooling have, where the node has them. */
function windowOf(n: PoolNode): Record<string, AttributeValue> {
  const { auto_pad, ceil_mode, dilations, kernel_shape, pads, strides } = n.attributes;
  return {
    auto_pad,
    ceil_mode,
    ...(dilations && { dilations }),
    ...(kernel_shape && { kernel_shape }),
    ...(pads && { pads }),
    ...(strides && { strides }),
  };
}
