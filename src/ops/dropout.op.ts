// Dropout: in training, elements are set to zero at random, a `ratio` of them, and the others scaled up so that the
// mean stays; else nothing happens at no cost. Inputs: the tensor, the ratio (default 0.5), whether this is
// training (default false). Output 1 tells which elements were kept. With a seed every run keeps the same.

import { isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray, scalar } from '../base/ndarray';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { generator } from './random/generator';
import { randomNumbers } from './random/lower';

type View = NodeView<{ readonly seed: number | undefined }>;

/** The share of elements to drop; 0 outside training. */
function ratioOf(n: View): number {
  const training = (n.numbers(2)?.[0] ?? 0) !== 0;
  const ratio = training ? (n.numbers(1)?.[0] ?? 0.5) : 0;
  return ratio >= 0 && ratio <= 1 ? ratio : n.fail(`drops a share of ${ratio}; expected a ratio from 0 to 1`);
}

function maskOf(n: View): NDArray {
  const { dims } = n.input(0);
  const ratio = ratioOf(n);
  const mask = ndarray('bool', dims);
  const { uniform } = generator(n.attributes.seed);
  if (ratio === 0) mask.data.fill(1);
  else for (let i = 0; i < mask.data.length; i++) mask.data[i] = Number(uniform() >= ratio);
  return mask;
}

export default defineOp({
  name: 'Dropout',
  attributes: { seed: int() },
  varies: true,
  infer(n) {
    const { dtype, dims } = n.input(0);
    if (!isFloat(dtype)) n.fail('needs floats');
    ratioOf(n);
    return [
      { dtype, dims },
      { dtype: 'bool', dims },
    ];
  },
  reference(n, [x]) {
    const { data, dtype, dims } = x ?? n.fail('lacks its input');
    const scale = 1 / (1 - ratioOf(n));
    const mask = maskOf(n);
    const kept = Array.from(data, (value, i) => (mask.data[i] ? value * scale : 0));
    return [ndarray(dtype, dims, kept), mask];
  },
  lower(n, b) {
    const x = n.node.inputs[0] as string;
    const { dtype, dims } = n.input(0);
    const ratio = ratioOf(n);
    if (ratio === 0) {
      if (!n.wants(1)) return [x];
      const all = { dtype: 'bool', dims: [1], constant: { kind: 'inline', array: ndarray('bool', [1], [1]) } } as const;
      return [x, ...b.add('ConstantOfShape', [b.constant(int64s(dims))], { value: { tensor: all } })];
    }
    const number = (type: 'float32' | typeof dtype, value: number) => b.constant(scalar(type, value));
    const [mask] =
      n.attributes.seed === undefined
        ? b.add('GreaterOrEqual', [randomNumbers(b, dims, 'uniform'), number('float32', ratio)])
        : [b.constant(maskOf(n))];
    const scaled = b.add('Mul', [x, number(dtype, 1 / (1 - ratio))]);
    return [...b.add('Where', [mask as string, ...scaled, number(dtype, 0)]), mask as string];
  },
});

const ratio = (value: number) => ({ dims: [], values: [value], constant: true });
const training = { dims: [], dtype: 'bool' as const, values: [1], constant: true };
export const cases: OpCase[] = [
  { name: 'inference', inputs: [{ dims: [5] }] },
  { name: 'inference, with mask', inputs: [{ dims: [2, 3] }], outputs: 2 },
  { name: 'training', inputs: [{ dims: [129] }, ratio(0.25), training], attributes: { seed: 9 }, outputs: 2 },
  { name: 'training, default ratio', inputs: [{ dims: [7, 9] }, undefined, training], attributes: { seed: 9 } },
  { name: 'training, nothing to drop', inputs: [{ dims: [7] }, ratio(0), training], outputs: 2 },
  {
    name: 'training, unseeded',
    inputs: [{ dims: [7], values: [0, 0, 0, 0, 0, 0, 0] }, ratio(0.5), training],
    differentiable: false, // the kept elements change
  },
];
