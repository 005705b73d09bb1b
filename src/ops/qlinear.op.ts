// ONNX Runtime's operators on quantised tensors that have no integer arithmetic worth a kernel of their own: the
// inputs are dequantised, the float operator runs, its result is quantised, and fusion joins what it can. Every
// tensor is followed by its scale and its zero point, which may be absent; all are per tensor.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

import { type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import { NodeView } from '../ir/node-view';
import { type AnyOp, type CaseInput, defineOp, type OpCase } from '../ir/opdef';
import activations from './activations.op';
import arithmetic from './arithmetic.op';
import concat from './concat.op';
import globalPools from './global-pool.op';
import pools from './pool.op';
import { quantizer } from './quantize/element';
import { reshaped } from './quantize/requantize';

const floatOps: readonly AnyOp[] = [...activations, ...arithmetic, concat, ...globalPools, ...pools];

/** Numbers of the inputs: of the tensors, and of the result's scale. */
interface Places {
  readonly tensors: readonly number[];
  readonly result: number;
}

const unary = (): Places => ({ tensors: [0], result: 3 });
const binary = (): Places => ({ tensors: [0, 3], result: 6 });
const variadic = (count: number): Places => ({
  tensors: Array.from({ length: Math.ceil((count - 2) / 3) }, (_, i) => 2 + 3 * i),
  result: 0,
});

function quantizedForm(of: string, placesOf: (inputs: number) => Places): AnyOp {
  const op = floatOps.find(({ name }) => name === of) as AnyOp;
  const places = (n: NodeView) => placesOf(n.inputs.length);
  const asFloat = (n: NodeView) =>
    new NodeView(
      n.node,
      n.attributes,
      places(n).tensors.map((i) => ({ dtype: 'float32' as const, dims: n.input(i).dims, isConstant: false })),
    );
  return defineOp({
    name: `com.microsoft.QLinear${of}`,
    attributes: { ...op.attributes, channels_last: int(0) },
    infer(n) {
      if (n.attributes.channels_last === 1) n.fail('has its channels last', 'UNSUPPORTED_MODEL');
      const { tensors, result } = places(n);
      for (const i of [result, ...tensors.map((t) => t + 1)]) {
        for (const parameter of [n.input(i), n.inputs[i + 1]]) {
          if (parameter && sizeOf(parameter.dims) !== 1)
            n.fail(`has ${sizeOf(parameter.dims)} scales or zero points for one tensor; expected one`);
        }
      }
      const [type] = op.infer(asFloat(n));
      return [{ dtype: n.input(tensors[0] ?? 0).dtype, dims: type?.dims ?? [] }];
    },
    reference(n, inputs) {
      const { tensors, result } = places(n);
      const parameter = (i: number, absent: number) => inputs[i]?.data[0] ?? absent;
      const floats = tensors.map((i) => {
        const x = inputs[i] as NDArray;
        const [scale, zero] = [parameter(i + 1, 1), parameter(i + 2, 0)];
        return ndarray(
          'float32',
          x.dims,
          Array.from(x.data, (v) => (v - zero) * scale),
        );
      });
      const [y] = op.reference(asFloat(n), floats) as [NDArray];
      const { dtype } = n.input(tensors[0] ?? 0);
      const quantize = quantizer(dtype);
      const [scale, zero] = [parameter(result, 1), parameter(result + 1, 0)];
      return [
        ndarray(
          dtype,
          y.dims,
          Array.from(y.data, (v) => quantize(v, scale, zero)),
        ),
      ];
    },
    lower(n, b) {
      const { tensors, result } = places(n);
      const parameters = (i: number) =>
        [i, i + 1].filter((at) => n.has(at)).map((at) => reshaped(b, n.node.inputs[at] as string, []));
      const to = (dtype: 'float32' | 'uint8' | 'int8') => ({ to: numberOfDType(dtype) });
      const floats = tensors.map(
        (i) =>
          b.add('lepton.Dequantize', [n.node.inputs[i] as string, ...parameters(i + 1)], to('float32'))[0] as string,
      );
      const { channels_last: _, ...attributes } = n.node.attributes;
      const y = b.add(of, floats, attributes);
      return b.add('lepton.Quantize', [...y, ...parameters(result)], to(n.output(0).dtype as 'uint8' | 'int8'));
    },
  });
}

export default [
  quantizedForm('Add', binary),
  quantizedForm('Mul', binary),
  quantizedForm('Sigmoid', unary),
  quantizedForm('LeakyRelu', unary),
  quantizedForm('GlobalAveragePool', unary),
  quantizedForm('AveragePool', unary),
  quantizedForm('Concat', variadic),
];

const bytes = (...dims: number[]): CaseInput => ({ dtype: 'uint8', dims, range: [0, 255] });
// No sum of multiples of the one lies half way between multiples of the other, where rounding would decide.
const scale: CaseInput = { dims: [], values: [0.0213] };
const coarse: CaseInput = { dims: [], values: [0.1137], constant: true };
const zero: CaseInput = { dtype: 'uint8', dims: [], values: [119] };
const x = (...dims: number[]): CaseInput[] => [bytes(...dims), scale, zero];

export const cases: Record<string, OpCase[]> = {
  'com.microsoft.QLinearAdd': [
    { name: 'broadcast', inputs: [...x(3, 129), ...x(129), coarse, zero] },
    { name: 'without zero points', inputs: [bytes(5), scale, undefined, bytes(5), scale, undefined, coarse] },
  ],
  'com.microsoft.QLinearMul': [{ name: 'broadcast', inputs: [...x(3, 43), ...x(3, 1), coarse, zero] }],
  'com.microsoft.QLinearSigmoid': [{ name: 'line', inputs: [...x(127), { dims: [], values: [0.005] }, zero] }],
  'com.microsoft.QLinearLeakyRelu': [{ name: 'line', inputs: [...x(127), scale, zero], attributes: { alpha: 0.25 } }],
  'com.microsoft.QLinearGlobalAveragePool': [{ name: 'image', inputs: [...x(2, 5, 7, 7), coarse, zero] }],
  'com.microsoft.QLinearAveragePool': [
    { name: 'image', inputs: [...x(1, 3, 9, 9), coarse, zero], attributes: { kernel_shape: [3, 3], strides: [2, 2] } },
  ],
  'com.microsoft.QLinearConcat': [
    { name: 'three', inputs: [coarse, zero, ...x(2, 3), ...x(2, 5), ...x(2, 1)], attributes: { axis: 1 } },
  ],
};
