// Batches on their way to the worker: tensors in the order of the model's inputs and outputs, as bytes.

import { LeptonError } from '../../base/errors';
import { formatDims, sizeOf } from '../../base/shape';
import type { TensorLike } from '../../base/tensor-like';
import type { Part } from '../../data';
import type { WireTensor } from '../../worker/protocol';

/** The tensors of a part by the names that the model has for them. @throws INVALID_INPUT */
export function inOrder(part: Part | undefined, names: readonly string[], what: 'x' | 'y'): readonly TensorLike[] {
  if (part === undefined) throw new LeptonError('INVALID_INPUT', `${what} is missing: the data has no ${what}s.`);
  if (isTensor(part)) {
    if (names.length === 1) return [part];
    throw new LeptonError(
      'INVALID_INPUT',
      `${what} is one tensor, but the model has ${names.map((n) => `"${n}"`).join(', ')}: give an object of tensors by name.`,
    );
  }
  return names.map((name) => {
    const tensor = part[name];
    if (tensor) return tensor;
    const given = Object.keys(part).join(', ') || 'nothing';
    throw new LeptonError('INVALID_INPUT', `${what} lacks "${name}"; it has ${given}.`, { details: { name } });
  });
}

export function isTensor(part: Part): part is TensorLike {
  return ArrayBuffer.isView((part as TensorLike).data);
}

/**
 * A copy of the tensor for the worker. Floats become float32 and integers int32, or `float32` where that is wanted.
 * @throws INVALID_INPUT where the data is not what its shape says
 */
export function toWire({ type, dims, data }: TensorLike, what: string, wanted?: 'float32' | 'int32'): WireTensor {
  if (data.length !== sizeOf(dims)) {
    throw new LeptonError(
      'INVALID_INPUT',
      `${what} of shape ${formatDims(dims)} needs ${sizeOf(dims)} elements, but has ${data.length}.`,
    );
  }
  const to = wanted ?? (type.startsWith('float') ? 'float32' : 'int32');
  const numbers = () => Array.from(data as ArrayLike<number | bigint>, Number);
  const Elements = to === 'float32' ? Float32Array : Int32Array;
  const copy =
    data instanceof Elements
      ? data.slice()
      : new Elements(typeof data[0] === 'bigint' ? numbers() : (data as ArrayLike<number>));
  return { type: to, dims, bytes: new Uint8Array(copy.buffer as ArrayBuffer) };
}

/** What a request's bytes are in, to be moved rather than copied. */
export function memoryOf(...lists: readonly (readonly WireTensor[])[]): ArrayBuffer[] {
  return lists.flat().map(({ bytes }) => bytes.buffer);
}
