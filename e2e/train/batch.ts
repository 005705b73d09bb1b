// Arrays as the trainer takes them.

import type { WireTensor } from '../../src/worker/protocol';
import type { Digits } from './digits';

export function wire(data: Float32Array | Int32Array, dims: readonly number[]): WireTensor {
  const type = data instanceof Float32Array ? 'float32' : 'int32';
  return { type, dims, bytes: new Uint8Array(data.slice().buffer as ArrayBuffer) };
}

export function floatsOf({ bytes }: WireTensor): Float32Array {
  return new Float32Array(bytes.buffer);
}

/** The digits from `at` on. */
export function batchOf({ images, labels }: Digits, at: number, size: number) {
  return {
    inputs: [wire(images.subarray(at * 784, (at + size) * 784), [size, 28, 28, 1])],
    targets: [wire(labels.subarray(at, at + size), [size])],
  };
}
