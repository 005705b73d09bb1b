// A transposed convolution as a convolution. Outputs whose places leave the same remainder by the strides (a phase) meet the
// same taps, every stride-th of them, and neighbours of one phase meet neighbouring inputs: each phase is a convolution with
// stride 1 of those taps turned round, all phases together one with more outputs, which are then put between each other. It
// multiplies by no zeros between inputs. With stride 1 there is one phase, and nothing to put anywhere.

import { int64s } from '../../base/ndarray';
import type { LowerBuilder } from '../../ir/opdef';
import { type TransposeNode, transposeShape } from './transpose';

interface Axis {
  readonly input: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Taps of a phase, the longest ones; shorter ones get zeros. */
  readonly taps: number;
  /** Padding of the convolution. */
  readonly begin: number;
  readonly end: number;
  /** Outputs of one phase, and how many of all phases come before the first that is wanted. */
  readonly output: number;
  readonly before: number;
  readonly wanted: number;
}

/** Undefined where phases have other taps than neighbours, or where outputs come before all that inputs reach. */
function axisOf({ window }: ReturnType<typeof transposeShape>, i: number): Axis | undefined {
  const at = (list: readonly number[]) => list[i] as number;
  const [input, kernel, stride, dilation] = [
    at(window.input),
    at(window.kernel),
    at(window.strides),
    at(window.dilations),
  ];
  if (stride > 1 && dilation > 1) return undefined;
  const [skipped, wanted] = [at(window.begins), at(window.output)];
  const taps = Math.ceil(kernel / stride);
  const first = Math.floor(skipped / stride);
  const reach = (taps - 1) * dilation;
  const begin = reach - first;
  const needed = Math.floor((skipped + wanted - 1) / stride) - first + 1;
  const end = Math.max(0, needed - input - begin + reach);
  if (begin < 0) return undefined;
  const output = input + begin + end - reach;
  return { input, kernel, stride, dilation, taps, begin, end, output, before: skipped - first * stride, wanted };
}

/** Undefined where it has to be computed as it stands. */
export function asConvolution(n: TransposeNode, b: LowerBuilder): string | undefined {
  const shape = transposeShape(n);
  const { groups, channels, groupOut, window, batch } = shape;
  const all = Array.from({ length: window.rank }, (_, i) => axisOf(shape, 3 - window.rank + i));
  const axes = all.filter((axis) => axis !== undefined);
  if (axes.length < all.length) return undefined;
  const [x, w, bias = ''] = n.node.inputs as [string, string, string?];
  const node = (op: string, inputs: string[], attributes = {}) => b.add(op, inputs, attributes)[0] as string;
  const ints = (values: readonly number[]) => b.constant(int64s(values));
  const reshape = (name: string, dims: readonly number[]) => node('Reshape', [name, ints(dims)]);
  const phases = axes.reduce((count, { stride }) => count * stride, 1);

  // [group, channel, output, (tap, phase)…] to [group, output, phase…, channel, tap…], taps from the last to the first.
  const spare = axes.map(({ taps, stride, kernel }) => taps * stride - kernel);
  const padded = spare.some((s) => s > 0) ? node('Pad', [w, ints([0, 0, ...axes.map(() => 0), 0, 0, ...spare])]) : w;
  const split = reshape(padded, [groups, channels, groupOut, ...axes.flatMap(({ taps, stride }) => [taps, stride])]);
  const tapAxes = axes.map((_, i) => 3 + 2 * i);
  const turned = node('Slice', [
    split,
    ints(axes.map(() => -1)),
    ints(axes.map(() => -(2 ** 31))),
    ints(tapAxes),
    ints(axes.map(() => -1)),
  ]);
  const moved = node('Transpose', [turned], { perm: [0, 2, ...tapAxes.map((a) => a + 1), 1, ...tapAxes] });
  const weights = reshape(moved, [groups * groupOut * phases, channels, ...axes.map(({ taps }) => taps)]);
  const inputs = [x, weights];
  const outputs = groups * groupOut;
  if (bias !== '') {
    const spread = phases > 1 ? node('Expand', [reshape(bias, [outputs, 1]), ints([outputs, phases])]) : bias;
    inputs.push(phases > 1 ? reshape(spread, [outputs * phases]) : spread);
  }
  const y = node('Conv', inputs, {
    group: groups,
    dilations: axes.map(({ dilation }) => dilation),
    pads: [...axes.map(({ begin }) => begin), ...axes.map(({ end }) => end)],
  });
  if (phases === 1 && axes.every(({ output, wanted }) => output === wanted)) return y;

  // [batch, output, phase…, place…] to [batch, output, (place, phase)…].
  const apart = reshape(y, [batch, outputs, ...axes.map(({ stride }) => stride), ...axes.map(({ output }) => output)]);
  const rank = axes.length;
  const perm = [0, 1, ...axes.flatMap((_, i) => [2 + rank + i, 2 + i])];
  const together = reshape(node('Transpose', [apart], { perm }), [
    ...[batch, outputs],
    ...axes.map(({ output, stride }) => output * stride),
  ]);
  if (axes.every(({ output, stride, before, wanted }) => before === 0 && output * stride === wanted)) return together;
  return node('Slice', [
    together,
    ints(axes.map(({ before }) => before)),
    ints(axes.map(({ before, wanted }) => before + wanted)),
    ints(axes.map((_, i) => 2 + i)),
  ]);
}
