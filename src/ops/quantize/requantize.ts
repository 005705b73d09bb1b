// The end of a product of quantised tensors: integer sums, scaled by both operands' scales over the result's, as
// quantised numbers again.

import { type DType, isSmallFloat } from '../../base/dtype';
import { int64s, scalar } from '../../base/ndarray';
import { numberOfDType } from '../../base/onnx-dtypes';
import { type Dims, sameDims } from '../../base/shape';
import type { LowerBuilder } from '../../ir/opdef';

export function reshaped(b: LowerBuilder, name: string, shape: Dims): string {
  return sameDims(b.type(name).dims, shape) ? name : (b.add('Reshape', [name, b.constant(int64s(shape))])[0] as string);
}

export function cast(b: LowerBuilder, name: string, to: DType): string {
  return b.type(name).dtype === to ? name : (b.add('Cast', [name], { to: numberOfDType(to) })[0] as string);
}

/** Adds left * right / result in float32. Added before the product itself, it can become part of its kernel. */
export function scaleFactor(b: LowerBuilder, left: string, right: string, result: string): string {
  const both = b.add('Mul', [cast(b, left, 'float32'), cast(b, right, 'float32')]);
  return b.add('Div', [...both, cast(b, result, 'float32')])[0] as string;
}

/**
 * Adds round(sums * factor) + zero, in type `to`, which for 8-bit floats has no zero. Factor and zero must
 * broadcast to the sums.
 */
export function requantize(b: LowerBuilder, sums: string, factor: string, zero: string | undefined, to: DType): string {
  const scaled = b.add('Mul', [cast(b, sums, 'float32'), factor]);
  if (isSmallFloat(to)) return cast(b, scaled[0] as string, to);
  const one = b.constant(scalar('float32', 1));
  const inputs = [...scaled, one, ...(zero === undefined ? [] : [zero])];
  return b.add('lepton.Quantize', inputs, { to: numberOfDType(to) })[0] as string;
}
