// HannWindow, HammingWindow and BlackmanWindow: sums of cosines that taper a signal's frames. Input 0 is their
// size; known before the run, so the whole window is a constant.

import type { DType } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { dtypeOfNumber } from '../base/onnx-dtypes';
import { int } from '../ir/attributes';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';

type View = NodeView<{ readonly output_datatype: number; readonly periodic: number }>;

function typeOf(n: View): TensorType {
  const { output_datatype: type } = n.attributes;
  const dtype: DType = dtypeOfNumber(type) ?? n.fail(`has the output_datatype ${type}, which Lepton lacks`);
  const size = n.numbers(0)?.[0] ?? n.fail('lacks its size (input 0)');
  if (!(size >= 0)) n.fail(`has the size ${size}; expected 0 or more`);
  return { dtype, dims: [size] };
}

/** @param terms the factors of cos(0), cos(1 turn), cos(2 turns) … over the window */
function cosineWindow(n: View, terms: readonly number[]): NDArray {
  const { dtype, dims } = typeOf(n);
  const size = dims[0] as number;
  // A periodic window leaves out its last element, which the next period begins with.
  const period = Math.max(1, n.attributes.periodic ? size : size - 1);
  const at = (i: number) =>
    terms.reduce((sum, factor, k) => sum + factor * Math.cos((2 * Math.PI * k * i) / period), 0);
  return ndarray(
    dtype,
    dims,
    Array.from({ length: size }, (_, i) => at(i)),
  );
}

function windowFunction(name: string, terms: readonly number[]) {
  return defineOp({
    name,
    attributes: { output_datatype: int(1), periodic: int(1) },
    infer: (n) => [typeOf(n)],
    reference: (n) => [cosineWindow(n, terms)],
    lower: (n, b) => [b.constant(cosineWindow(n, terms))],
  });
}

export default [
  windowFunction('HannWindow', [0.5, -0.5]),
  windowFunction('HammingWindow', [25 / 46, -21 / 46]),
  windowFunction('BlackmanWindow', [0.42, -0.5, 0.08]),
];

const size = (value: number) => ({ dtype: 'int64', dims: [], values: [value], constant: true }) as const;
const windows: OpCase[] = [
  { name: 'periodic', inputs: [size(129)] },
  { name: 'symmetric, float16', inputs: [size(10)], attributes: { periodic: 0, output_datatype: 10 } },
  // More elements than are folded on the host.
  { name: 'large', inputs: [size(70_001)] },
];

export const cases: Record<string, OpCase[]> = { HannWindow: windows, HammingWindow: windows, BlackmanWindow: windows };
