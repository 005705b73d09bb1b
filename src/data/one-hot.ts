// Class numbers as vectors of zeros with a one where the class is.

import { LeptonError } from '../base/errors';
import { sizeOf } from '../base/shape';
import type { TensorLike } from '../base/tensor-like';
import { mapBatch, tensorNamed } from './tensors';
import type { Rows } from './types';

/** @param of the tensor's name: 'ys', 'xs.kind' */
export function oneHotRows(rows: Rows, classes: number, of: string): Rows {
  return {
    ...rows,
    async read(indices, epoch, signal) {
      const batch = await rows.read(indices, epoch, signal);
      if (!tensorNamed(batch, of)) {
        throw new LeptonError('INVALID_ARGUMENT', `oneHot(): the samples have no tensor "${of}".`);
      }
      return mapBatch(batch, (tensor, name) => (name === of ? oneHot(tensor, classes, name, indices) : tensor));
    },
  };
}

/** Labels of shape [n, …] or [n, …, 1]. */
function oneHot({ dims, data }: TensorLike, classes: number, name: string, indices: readonly number[]): TensorLike {
  const outer = dims.length > 1 && dims.at(-1) === 1 ? dims.slice(0, -1) : dims;
  const out = new Float32Array(data.length * classes);
  for (let i = 0; i < data.length; i++) {
    const label = Number(data[i]);
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      const sample = indices[Math.floor(i / sizeOf(dims.slice(1)))];
      throw new LeptonError(
        'INVALID_DATA',
        `The label of sample ${sample} in ${name} is ${label}; with ${classes} classes labels are whole numbers from 0 to ${classes - 1}.`,
        { details: { sample, label, classes } },
      );
    }
    out[i * classes + label] = 1;
  }
  return { type: 'float32', dims: [...outer, classes], data: out };
}
