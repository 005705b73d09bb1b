// QuantizeLinear and DequantizeLinear: per tensor, along an axis, or in blocks along an axis, between floats and
// integers of 2 to 16 bits or floats of 4 and 8. Inputs: x, scale, optional zero point. They come down to
// element-wise steps, which fuse with their neighbours.

import { type DType, isSmallFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { dtypeOfNumber, numberOfDType } from '../base/onnx-dtypes';
import { forEachIndex } from '../base/shape';
import { int } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { dequantizeCases, quantizeCases } from './quantize/cases';
import { isQuantizedInteger, isWideFloat, quantizer } from './quantize/element';
import { parameterIndex, spreadInputs, spreadOf } from './quantize/spread';

const shared = { axis: int(1), block_size: int(0), output_dtype: int(0) };
type LinearNode = NodeView<{ axis: number; block_size: number; output_dtype: number }>;

/** The type that `output_dtype` names; undefined where it is left to the inputs. */
function statedType(n: LinearNode): DType | undefined {
  const { output_dtype } = n.attributes;
  if (output_dtype === 0) return undefined;
  return dtypeOfNumber(output_dtype) ?? n.fail(`has an output_dtype of ${output_dtype}, which is no element type`);
}

function quantizedType(n: LinearNode): DType {
  const stated = statedType(n);
  const own = n.inputs[2]?.dtype;
  if (stated && own && stated !== own) n.fail(`has the output_dtype ${stated}, but a zero point of type ${own}`);
  const dtype = stated ?? own ?? 'uint8';
  if (!isQuantizedInteger(dtype) && !isSmallFloat(dtype)) n.fail(`quantises to ${dtype}`);
  return dtype;
}

/** Calls `element` with the number, scale and zero point of every element. */
function mapElements(
  n: LinearNode,
  inputs: readonly (NDArray | undefined)[],
  dtype: DType,
  element: (x: number, scale: number, zero: number) => number,
): NDArray[] {
  const [x, scale, zero] = inputs as [NDArray, NDArray, NDArray | undefined];
  const spread = spreadOf(n);
  const scaleAt = parameterIndex(x.dims, scale.dims, spread);
  const zeroAt = zero && parameterIndex(x.dims, zero.dims, spread);
  const out = ndarray(dtype, x.dims);
  forEachIndex(x.dims, (at, flat) => {
    const z = zeroAt ? (zero.data[zeroAt(at)] as number) : 0;
    out.data[flat] = element(x.data[flat] as number, scale.data[scaleAt(at)] as number, z);
  });
  return [out];
}

const quantizeAttributes = {
  ...shared,
  // Divisions are never less precise than float32, so every choice of `precision` is met.
  precision: int(0),
  saturate: int(1),
};

const quantizeLinear = (name: string) =>
  defineOp({
    name,
    attributes: quantizeAttributes,
    infer(n) {
      spreadOf(n);
      return [{ dtype: quantizedType(n), dims: n.input(0).dims }];
    },
    reference(n, inputs) {
      const dtype = quantizedType(n);
      return mapElements(n, inputs, dtype, quantizer(dtype, n.attributes.saturate !== 0));
    },
    lower(n, b) {
      const to = quantizedType(n);
      const { x, parameters, restore } = spreadInputs(n, b);
      if (!isSmallFloat(to)) {
        const [y] = b.add('lepton.Quantize', [x, ...parameters], { to: numberOfDType(to) });
        return restore(y as string);
      }
      const as32 = (v: string) => b.add('Cast', [v], { to: numberOfDType('float32') })[0] as string;
      const quotient = b.add('Div', [as32(x), as32(parameters[0] as string)]);
      const [y] = b.add('Cast', quotient, { to: numberOfDType(to), saturate: n.attributes.saturate });
      return restore(y as string);
    },
  });

function dequantizedType(n: LinearNode): DType {
  const dtype = statedType(n) ?? n.input(1).dtype;
  if (!isWideFloat(dtype)) n.fail(`dequantises to ${dtype}`);
  return dtype;
}

const dequantizeLinear = (name: string) =>
  defineOp({
    name,
    attributes: shared,
    infer(n) {
      spreadOf(n);
      const zero = n.inputs[2];
      if (zero && zero.dtype !== n.input(0).dtype)
        n.fail(`dequantises ${n.input(0).dtype} with a zero point of type ${zero.dtype}`);
      return [{ dtype: dequantizedType(n), dims: n.input(0).dims }];
    },
    reference: (n, inputs) => mapElements(n, inputs, dequantizedType(n), (x, scale, zero) => (x - zero) * scale),
    lower(n, b) {
      const { x, parameters, restore } = spreadInputs(n, b);
      const [y] = b.add('lepton.Dequantize', [x, ...parameters], { to: numberOfDType(dequantizedType(n)) });
      return restore(y as string);
    },
  });

export default ['', 'com.microsoft.'].flatMap((domain) => [
  quantizeLinear(`${domain}QuantizeLinear`),
  dequantizeLinear(`${domain}DequantizeLinear`),
]);

export const cases: Record<string, OpCase[]> = {
  QuantizeLinear: quantizeCases,
  DequantizeLinear: dequantizeCases,
  'com.microsoft.QuantizeLinear': quantizeCases.slice(0, 1),
  'com.microsoft.DequantizeLinear': dequantizeCases.slice(0, 1),
};
