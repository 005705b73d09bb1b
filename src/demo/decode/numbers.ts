// Tensors as plain numbers, whatever their element type: float16 arrives as its bits, 64-bit integers as
// bigint. Values beyond 2^53 lose their last digits, which a page that shows them does not mind.

import type { Tensor } from '../../api';
import type { Output } from './boxes';

export function numbersOf(tensor: Pick<Tensor, 'type' | 'data' | 'dims'>): Output {
  const { data, dims, type } = tensor;
  if (type === 'float16' && data instanceof Uint16Array) return { data: Float32Array.from(data, fromHalf), dims };
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return { data: Array.from(data, Number), dims };
  return { data: data as ArrayLike<number>, dims };
}

/** IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
