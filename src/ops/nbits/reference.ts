// The product with quantised weights in plain loops, and the weights dequantised, which both ways of writing it
// down share.

import { type NDArray, ndarray } from '../../base/ndarray';
import { type NBitsNode, type NBitsProblem, nbitsProblem } from './problem';

/** Number `i` of `bits` bits each, the first in the low bits of a byte. */
export function bitsAt(bytes: ArrayLike<number>, i: number, bits: number): number {
  const bit = i * bits;
  return ((bytes[bit >> 3] as number) >> (bit & 7)) & (2 ** bits - 1);
}

/** The weights of an output, [k]. @param inputs of the node */
export function nbitsRow(p: NBitsProblem, inputs: readonly (NDArray | undefined)[], column: number): number[] {
  const [, weights, scales, zeros, groups] = inputs as [NDArray, NDArray, NDArray, NDArray?, NDArray?];
  const padded = p.blocks * p.blockSize;
  const zeroOf = (block: number): number => {
    if (!zeros) return 2 ** (p.bits - 1);
    if (p.zeros === 'float') return zeros.data[column * p.blocks + block] as number;
    return bitsAt(zeros.data.subarray(column * p.zeroBytes), block, p.bits);
  };
  return Array.from({ length: p.k }, (_, i) => {
    const block = groups ? (groups.data[i] as number) : Math.floor(i / p.blockSize);
    const weight = bitsAt(weights.data, column * padded + i, p.bits);
    return (weight - zeroOf(block)) * (scales.data[column * p.blocks + block] as number);
  });
}

export function nbitsReference(n: NBitsNode, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const p = nbitsProblem(n);
  const [a, bias] = [inputs[0] as NDArray, inputs[5]];
  const out = ndarray(a.dtype, p.dims);
  for (let column = 0; column < p.n; column++) {
    const own = nbitsRow(p, inputs, column);
    for (let row = 0; row < p.m; row++) {
      const product = own.reduce((sum, w, i) => sum + w * (a.data[row * p.k + i] as number), 0);
      out.data[row * p.n + column] = product + ((bias?.data[column] as number) ?? 0);
    }
  }
  return [out];
}
