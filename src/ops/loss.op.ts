// NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: how far scores [N, C, d…] are from the classes [N, d…]
// that are right, each class with a weight. Positions whose class is `ignore_index` count for nothing. The mean
// is over the weights that counted. Both are lowered to Gather, element-wise steps and a reduction, which fuse.

import { isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray, scalar } from '../base/ndarray';
import { formatDims, sameDims, sizeOf } from '../base/shape';
import { int, string } from '../ir/attributes';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { placeOf } from './axes';

const attributes = { ignore_index: int(), reduction: string('mean') };
type LossNode = NodeView<{ readonly ignore_index: number | undefined; readonly reduction: string }>;

function lossType(n: LossNode): TensorType {
  const [scores, classes] = [n.input(0), n.input(1)];
  const weights = n.inputs[2];
  const { reduction } = n.attributes;
  if (!isFloat(scores.dtype)) n.fail('needs floats as its scores (input 0)');
  if (classes.dtype !== 'int32' && classes.dtype !== 'int64') n.fail('needs int32 or int64 classes (input 1)');
  if (scores.dims.length < 2) n.fail('needs scores of shape [N, C, …] (input 0)');
  const dims = scores.dims.toSpliced(1, 1);
  if (!sameDims(dims, classes.dims)) n.fail(`needs classes of shape ${formatDims(dims)} (input 1)`);
  if (weights && (weights.dtype !== scores.dtype || !sameDims(weights.dims, scores.dims.slice(1, 2)))) {
    n.fail(`needs one ${scores.dtype} weight for each of the ${scores.dims[1]} classes (input 2)`);
  }
  if (!['none', 'sum', 'mean'].includes(reduction)) {
    n.fail(`has the reduction "${reduction}"; ONNX defines "none", "sum" and "mean"`);
  }
  return { dtype: scores.dtype, dims: reduction === 'none' ? dims : [] };
}

function lossOf(n: LossNode, logProbabilities: NDArray, classes: NDArray, weights: NDArray | undefined): NDArray {
  const { ignore_index, reduction } = n.attributes;
  const { dtype, dims } = logProbabilities;
  const count = dims[1] as number;
  const inner = sizeOf(dims.slice(2));
  const losses = ndarray(dtype, classes.dims);
  let [sum, weightSum] = [0, 0];
  classes.data.forEach((given, i) => {
    if (given === ignore_index) return;
    const c = placeOf(given, count);
    const weight = weights ? (weights.data[c] as number) : 1;
    const loss = -weight * (logProbabilities.data[(Math.floor(i / inner) * count + c) * inner + (i % inner)] as number);
    losses.data[i] = loss;
    sum += loss;
    weightSum += weight;
  });
  return reduction === 'none' ? losses : scalar(dtype, reduction === 'sum' ? sum : sum / weightSum);
}

function lowerLoss(n: LossNode, b: LowerBuilder, logProbabilities: string): string {
  const add = (op: string, ...inputs: string[]) => b.add(op, inputs)[0] as string;
  const { ignore_index, reduction } = n.attributes;
  const [, given, weights] = n.node.inputs as readonly [string, string, string?];
  const { dtype } = n.input(0);
  const zero = b.constant(scalar(dtype, 0));
  const classType = n.input(1).dtype;
  const ignored =
    ignore_index === undefined ? undefined : add('Equal', given, b.constant(scalar(classType, ignore_index)));
  const classes = ignored ? add('Where', ignored, b.constant(scalar(classType, 0)), given) : given;
  const axis = b.constant(int64s([1]));
  const [picked] = b.add('GatherElements', [logProbabilities, add('Unsqueeze', classes, axis)], { axis: 1 });
  const weight = weights
    ? add('Gather', weights, classes)
    : ignored && reduction === 'mean'
      ? b.constant(scalar(dtype, 1))
      : undefined;
  const negative = add('Neg', add('Squeeze', picked as string, axis));
  const weighted = weight ? add('Mul', negative, weight) : negative;
  const losses = ignored ? add('Where', ignored, zero, weighted) : weighted;
  const reduced = (op: string, x: string) => b.add(op, [x], { keepdims: 0 })[0] as string;
  if (reduction === 'none') return losses;
  if (reduction === 'sum') return reduced('ReduceSum', losses);
  if (!weight) return reduced('ReduceMean', losses);
  const counted = ignored ? add('Where', ignored, zero, weight) : weight;
  return add('Div', reduced('ReduceSum', losses), reduced('ReduceSum', counted));
}

function logSoftmax({ dtype, dims, data }: NDArray): NDArray {
  const count = dims[1] as number;
  const inner = sizeOf(dims.slice(2));
  const out = ndarray(dtype, dims);
  for (let row = 0; row < data.length / Math.max(1, count); row++) {
    const base = Math.floor(row / inner) * count * inner + (row % inner);
    const at = (c: number) => data[base + c * inner] as number;
    let [largest, sum] = [Number.NEGATIVE_INFINITY, 0];
    for (let c = 0; c < count; c++) largest = Math.max(largest, at(c));
    for (let c = 0; c < count; c++) sum += Math.exp(at(c) - largest);
    for (let c = 0; c < count; c++) out.data[base + c * inner] = at(c) - largest - Math.log(sum);
  }
  return out;
}

export default [
  defineOp({
    name: 'NegativeLogLikelihoodLoss',
    attributes,
    infer: (n) => [lossType(n)],
    reference: (n, [x, classes, weights]) => [lossOf(n, x as NDArray, classes as NDArray, weights)],
    lower: (n, b) => [lowerLoss(n, b, n.node.inputs[0] as string)],
  }),
  defineOp({
    name: 'SoftmaxCrossEntropyLoss',
    attributes,
    infer: (n) => [lossType(n), n.input(0)],
    reference(n, [scores, classes, weights]) {
      const logProbabilities = logSoftmax(scores as NDArray);
      return [lossOf(n, logProbabilities, classes as NDArray, weights), logProbabilities];
    },
    lower(n, b) {
      const [logProbabilities] = b.add('LogSoftmax', [n.node.inputs[0] as string], { axis: 1 }) as [string];
      return [lowerLoss(n, b, logProbabilities), logProbabilities];
    },
  }),
];

const scores = { dims: [3, 5], range: [-4, 0] as const };
const image = { dims: [2, 5, 3, 7], range: [-4, 0] as const };
const classesOf = (dims: number[], dtype: 'int32' | 'int64' = 'int64') => ({ dims, dtype, range: [0, 4] as const });
const weights = { dims: [5], range: [0.1, 1] as const };
const shared: OpCase[] = [
  ...['none', 'sum', 'mean'].flatMap((reduction): OpCase[] => [
    { name: reduction, inputs: [scores, classesOf([3])], attributes: { reduction } },
    {
      name: `${reduction}, weights, ignored class`,
      inputs: [image, classesOf([2, 3, 7], 'int32'), weights],
      attributes: { reduction, ignore_index: 2 },
    },
  ]),
  {
    name: 'mean, ignored class below all',
    inputs: [scores, { dims: [3], dtype: 'int64', values: [-100, 4, 1] }],
    attributes: { ignore_index: -100 },
  },
  { name: 'mean, weights', inputs: [image, classesOf([2, 3, 7]), weights] },
];
export const cases: Record<string, OpCase[]> = {
  NegativeLogLikelihoodLoss: shared,
  SoftmaxCrossEntropyLoss: [
    ...shared,
    { name: 'log-probabilities', inputs: [image, classesOf([2, 3, 7])], outputs: 2 },
  ],
};
