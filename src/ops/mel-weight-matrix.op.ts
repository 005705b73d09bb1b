// MelWeightMatrix: [dft_length / 2 + 1, num_mel_bins], the weights of triangles that stand evenly on the mel
// scale, over the bins of a spectrum. All inputs are known before the run, so the matrix is a constant.

import type { DType } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { dtypeOfNumber } from '../base/onnx-dtypes';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';

type View = NodeView<{ readonly output_datatype: number }>;

const melOf = (hertz: number) => 2595 * Math.log10(1 + hertz / 700);
const hertzOf = (mel: number) => 700 * (10 ** (mel / 2595) - 1);

function problemOf(n: View) {
  const { output_datatype: type } = n.attributes;
  const dtype: DType = dtypeOfNumber(type) ?? n.fail(`has the output_datatype ${type}, which Lepton lacks`);
  const number = (i: number, name: string) => n.numbers(i)?.[0] ?? n.fail(`lacks its ${name} (input ${i})`);
  const bins = number(0, 'num_mel_bins');
  const length = number(1, 'dft_length');
  const rate = number(2, 'sample_rate');
  if (!(bins >= 0 && length >= 0)) n.fail(`has ${bins} mel bins over a spectrum of length ${length}`);
  if (!(rate > 0)) n.fail(`has the sample_rate ${rate}; expected more than 0`);
  const [low, high] = [melOf(number(3, 'lower_edge_hertz')), melOf(number(4, 'upper_edge_hertz'))];
  return { dtype, bins, length, rate, low, high, dims: [Math.floor(length / 2) + 1, bins] };
}

function weights(n: View): NDArray {
  const { dtype, dims, bins, length, rate, low, high } = problemOf(n);
  const out = ndarray(dtype, dims);
  const step = (high - low) / (bins + 2);
  const corner = (i: number) => Math.floor(((length + 1) * hertzOf(low + i * step)) / rate);
  for (let bin = 0; bin < bins; bin++) {
    const [left, centre, right] = [corner(bin), corner(bin + 1), corner(bin + 2)];
    const set = (row: number, weight: number) => {
      if (row >= 0 && row < (dims[0] as number)) out.data[row * bins + bin] = weight;
    };
    if (left === centre) set(centre, 1);
    else for (let row = left; row <= centre; row++) set(row, (row - left) / (centre - left));
    for (let row = centre; row < right; row++) set(row, (right - row) / (right - centre));
  }
  return out;
}

export default defineOp({
  name: 'MelWeightMatrix',
  attributes: { output_datatype: int(1) },
  infer(n) {
    const { dtype, dims } = problemOf(n);
    return [{ dtype, dims }];
  },
  reference: (n) => [weights(n)],
  lower: (n, b) => [b.constant(weights(n))],
});

function mel(name: string, numbers: readonly number[]): OpCase {
  return {
    name,
    inputs: numbers.map((v, i) => ({ dtype: i < 3 ? 'int64' : 'float32', dims: [], values: [v], constant: true })),
  };
}

export const cases: OpCase[] = [mel('speech', [80, 400, 16_000, 0, 8000]), mel('one bin', [1, 16, 8000, 100, 4000])];
