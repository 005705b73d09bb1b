// SparseTensorProto → two constants, of values and of their places, and the node that makes the dense tensor of them: what
// is sparse in the file is sparse on its way to the GPU.

import { LeptonError } from '../base/errors';
import { formatDims, sizeOf } from '../base/shape';
import type { Node, Value } from '../ir/graph';
import { malformed } from './malformed';
import type { SparseTensorProto } from './proto';
import { readTensor } from './tensor';

/** Before anything is allocated by a shape that a few bytes of the file can claim. */
const mostElements = 2 ** 31;

export interface SparseTensor {
  /** The values, and the indices that place them. */
  readonly constants: readonly [Value, Value];
  readonly node: Node;
  readonly value: Value;
}

/**
 * @param name of the tensor as the graph knows it
 * @throws INVALID_MODEL where values, indices and shape disagree; UNSUPPORTED_MODEL for a shape beyond any GPU
 */
export function readSparseTensor(proto: SparseTensorProto, name: string, owner: string): SparseTensor {
  const { dims } = proto;
  if (!proto.values || !proto.indices) throw malformed(`${owner} is sparse, but has no values or no indices.`);
  const values = readTensor(proto.values, `${owner}, its values`);
  const indices = readTensor(proto.indices, `${owner}, its indices`);
  const [count, rank] = indices.dims;
  const fits = values.dims.length === 1 && values.dims[0] === count && indices.dims.length <= 2;
  if (!fits || (rank !== undefined && rank !== dims.length) || indices.dtype !== 'int64') {
    throw malformed(
      `${owner} places values ${formatDims(values.dims)} in a tensor ${formatDims(dims)} by indices ` +
        `${indices.dtype}${formatDims(indices.dims)}; expected int64 indices [nnz] or [nnz, ${dims.length}] of values [nnz].`,
      { expected: dims, got: indices.dims },
    );
  }
  if (dims.some((d) => !Number.isSafeInteger(d) || d < 0) || !Number.isSafeInteger(sizeOf(dims))) {
    throw malformed(`${owner} has the impossible shape ${formatDims(dims)}.`, { got: dims });
  }
  if (sizeOf(dims) > mostElements) {
    throw new LeptonError(
      'UNSUPPORTED_MODEL',
      `${owner} stands for a dense tensor ${formatDims(dims)}, of which no GPU has room; at most 2^31 elements are read.`,
      { details: { dims } },
    );
  }
  const parts = [`${name}, sparse:values`, `${name}, sparse:indices`] as const;
  return {
    constants: [
      { name: parts[0], ...values },
      { name: parts[1], ...indices },
    ],
    node: {
      name: `${name}, sparse:dense`,
      op: 'lepton.SparseTensor',
      inputs: parts,
      outputs: [name],
      attributes: { dims },
    },
    value: { name, dtype: values.dtype, dims },
  };
}
