// BatchNormalization. With known statistics, as inference has them, it is one factor and one summand a channel,
// computed from constants, which folding then puts into the convolution before it. In training mode the statistics
// are those of the batch itself, and outputs 1 and 2 the running ones moved towards them.

import { type DType, isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { sizeOf } from '../base/shape';
import { float, int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';

type View = NodeView<{ readonly epsilon: number; readonly momentum: number; readonly training_mode: number }>;

/** Channels, and the elements of each in one sample. A tensor of rank 1 has one channel. */
function channelsOf(n: View) {
  const [batch, channels = 1, ...inner] = n.input(0).dims;
  if (batch === undefined) n.fail('needs an input of rank 1 or more');
  return { channels, inner: sizeOf(inner) };
}

/** Mean and variance of every channel of a batch. */
function statisticsOf(n: View, x: NDArray): { mean: number[]; variance: number[] } {
  const { channels, inner } = channelsOf(n);
  const count = x.data.length / channels;
  const average = (value: (x: number, channel: number) => number) => {
    const sums = new Array<number>(channels).fill(0);
    x.data.forEach((v, i) => {
      const c = Math.floor(i / inner) % channels;
      sums[c] = (sums[c] as number) + value(v, c) / count;
    });
    return sums;
  };
  const mean = average((v) => v);
  return { mean, variance: average((v, c) => (v - (mean[c] as number)) ** 2) };
}

function reference(n: View, inputs: readonly NDArray[]): NDArray[] {
  const [x, scale, bias, runningMean, runningVariance] = inputs as [NDArray, NDArray, NDArray, NDArray, NDArray];
  const { epsilon, momentum, training_mode: training } = n.attributes;
  const { channels, inner } = channelsOf(n);
  const { mean, variance } = training ? statisticsOf(n, x) : { mean: runningMean.data, variance: runningVariance.data };
  const out = ndarray(x.dtype, x.dims);
  for (let i = 0; i < out.data.length; i++) {
    const c = Math.floor(i / inner) % channels;
    const factor = (scale.data[c] as number) / Math.sqrt((variance[c] as number) + epsilon);
    out.data[i] = ((x.data[i] as number) - (mean[c] as number)) * factor + (bias.data[c] as number);
  }
  if (!training) return [out];
  const moved = (running: NDArray, current: ArrayLike<number>) =>
    ndarray(
      running.dtype,
      running.dims,
      Array.from(running.data, (v, c) => v * momentum + (current[c] as number) * (1 - momentum)),
    );
  return [out, moved(runningMean, mean), moved(runningVariance, variance)];
}

/** The statistics of the batch as values of the graph, in float32: squares of float16 may overflow. */
function batchStatistics(n: View, b: LowerBuilder): { mean: string; variance: string } {
  const { dims } = n.input(0);
  const { channels } = channelsOf(n);
  const axes = b.constant(int64s(dims.flatMap((_, axis) => (axis === 1 ? [] : [axis]))));
  const wide = cast(n.node.inputs[0] as string, n.input(0).dtype === 'float64' ? 'float64' : 'float32', b);
  const flat = b.constant(int64s([channels]));
  const mean = b.add('ReduceMean', [wide, axes]);
  const centred = b.add('Sub', [wide, ...mean]);
  const variance = b.add('ReduceMean', [...b.add('Mul', [...centred, ...centred]), axes]);
  return {
    mean: b.add('Reshape', [...mean, flat])[0] as string,
    variance: b.add('Reshape', [...variance, flat])[0] as string,
  };
}

function cast(name: string, dtype: DType, b: LowerBuilder): string {
  return b.type(name).dtype === dtype ? name : (b.add('Cast', [name], { to: numberOfDType(dtype) })[0] as string);
}

/** running * momentum + current * (1 - momentum), in the type of the running statistic. */
function movingAverage(n: View, running: string, current: string, b: LowerBuilder): string {
  const { dtype } = b.type(running);
  const part = (name: string, share: number) =>
    b.add('Mul', [cast(name, dtype, b), b.constant(ndarray(dtype, [], [share]))]);
  const { momentum } = n.attributes;
  return b.add('Add', [...part(running, momentum), ...part(current, 1 - momentum)])[0] as string;
}

export default defineOp({
  name: 'BatchNormalization',
  attributes: { epsilon: float(1e-5), momentum: float(0.9), training_mode: int(0) },
  infer(n) {
    const { dtype, dims } = n.input(0);
    if (!isFloat(dtype)) n.fail('needs floats');
    const { channels } = channelsOf(n);
    for (const i of [1, 2, 3, 4]) {
      const size = sizeOf(n.input(i).dims);
      if (size !== channels) n.fail(`needs ${channels} elements in its input ${i}, but has ${size}`);
    }
    const running = [n.input(3), n.input(4)].map((t) => ({ dtype: t.dtype, dims: t.dims }));
    return [{ dtype, dims }, ...(n.attributes.training_mode ? running : [])];
  },
  reference: (n, inputs) => reference(n, inputs as readonly NDArray[]),
  lower(n, b) {
    const { dtype, dims } = n.input(0);
    const [x, scale, bias, runningMean, runningVariance] = n.node.inputs as [string, string, string, string, string];
    const training = n.attributes.training_mode !== 0;
    const own = training ? batchStatistics(n, b) : { mean: runningMean, variance: runningVariance };
    const spread = b.constant(int64s([channelsOf(n).channels, ...dims.slice(2).map(() => 1)]));
    const deviation = b.add(
      'Sqrt',
      b.add('Add', [cast(own.variance, dtype, b), b.constant(ndarray(dtype, [], [n.attributes.epsilon]))]),
    );
    const factor = b.add('Div', [cast(scale, dtype, b), ...deviation]);
    const summand = b.add('Sub', [cast(bias, dtype, b), ...b.add('Mul', [cast(own.mean, dtype, b), ...factor])]);
    const scaled = b.add('Mul', [x, ...b.add('Reshape', [...factor, spread])]);
    const result = b.add('Add', [...scaled, ...b.add('Reshape', [...summand, spread])]);
    if (!training) return result;
    return [...result, movingAverage(n, runningMean, own.mean, b), movingAverage(n, runningVariance, own.variance, b)];
  },
});

const parameters = (channels: number, constant: boolean) =>
  [0, 1, 2, 3].map((i) => ({ dims: [channels], constant, ...(i === 3 && { range: [0.1, 2] as const }) }));
export const cases: OpCase[] = [
  { name: 'image', inputs: [{ dims: [2, 5, 7, 9] }, ...parameters(5, true)] },
  { name: 'features', inputs: [{ dims: [3, 129] }, ...parameters(129, true)], attributes: { epsilon: 0.01 } },
  { name: 'statistics computed in the run', inputs: [{ dims: [2, 3, 8] }, ...parameters(3, false)] },
  { name: 'one channel', inputs: [{ dims: [7] }, ...parameters(1, true)] },
  {
    name: 'training',
    inputs: [{ dims: [2, 3, 5, 7], range: [2, 4] }, ...parameters(3, false)],
    attributes: { training_mode: 1, momentum: 0.8 },
    outputs: 3,
    tolerance: 1e-4,
  },
  {
    name: 'training, float16',
    inputs: [{ dims: [4, 3, 9], range: [2, 4] as const }, ...parameters(3, false)].map((i) => ({
      ...i,
      dtype: 'float16',
    })),
    attributes: { training_mode: 1 },
    outputs: 3,
    tolerance: 2e-2,
  },
];
