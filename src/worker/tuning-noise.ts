// Files without end that hold noise: what a kernel is measured on. Floats lie in [-1, 1), since denormal and
// infinite ones take other paths in some hardware; integers are 0 or 1, so that they are in range as indices.

import type { BytePiece, ByteSource } from '../base/bytes';
import { toDevice } from '../base/device-form';
import { type DType, deviceType, dtypes, isFloat } from '../base/dtype';
import { encode, ndarray } from '../base/ndarray';
import { xorshift } from '../base/xorshift';

/** Elements after which the noise begins again. */
const period = 1 << 14;

/** @param file as `noiseFile` in plan/problem.ts names it */
export function noiseSource(file: string): ByteSource {
  const dtype = dtypes.find((name) => file === `noise:${name}`);
  if (!dtype) throw new Error(`"${file}" is no file of noise.`);
  const block = packedNoise(dtype);
  return {
    size: undefined,
    read: async (offset, length) => Uint8Array.from({ length }, (_, i) => block[(offset + i) % block.length] as number),
    async *stream(start, end): AsyncGenerator<BytePiece> {
      for (let offset = start; offset < end; ) {
        const from = offset % block.length;
        const bytes = block.subarray(from, Math.min(block.length, from + end - offset));
        yield { offset, bytes };
        offset += bytes.byteLength;
      }
    },
  };
}

/** Noise in device form, for filling a buffer by repeating it. */
export function deviceNoise(dtype: DType): Uint8Array<ArrayBuffer> {
  return toDevice(dtype, deviceType(dtype), packedNoise(dtype), 'noise');
}

function packedNoise(dtype: DType): Uint8Array<ArrayBuffer> {
  const next = xorshift();
  const values = Float32Array.from({ length: period }, () => (isFloat(dtype) ? next() / 2 ** 31 : next() & 1));
  return encode(ndarray(dtype, [period], values));
}
