// A product with weights of 2, 4 or 8 bits, read off its node: A [rows…, k] times B [n, blocks, bytes of a block],
// with scales [n, blocks] and optional zero points, packed as the weights are or of A's type. ONNX Runtime's operator has
// blocks of a power of two; lepton.MatMulNBits has any that are whole chunks, and so one block a column too.

import { type DType, isFloat } from '../../base/dtype';
import { ceilDiv, type Dims, formatDims, sizeOf } from '../../base/shape';
import { int, required } from '../../ir/attributes';
import type { NodeView } from '../../ir/node-view';

/** The product that has kernels; others come down to it. */
export const internalName = 'lepton.MatMulNBits';

/** Weights that are dequantised together. */
export const chunkSize = 16;

export const nbitsAttributes = {
  K: required('int'),
  N: required('int'),
  bits: int(4),
  block_size: required('int'),
  /** 4 allows rows of int8 (dot4.ts); what other levels allow gains nothing here. */
  accuracy_level: int(0),
  weight_prepacked: int(0),
};

export type NBitsNode = NodeView<{
  readonly K: number;
  readonly N: number;
  readonly bits: number;
  readonly block_size: number;
  readonly accuracy_level: number;
  readonly weight_prepacked: number;
}>;

export interface NBitsProblem {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly bits: number;
  readonly blockSize: number;
  /** Blocks of a column. */
  readonly blocks: number;
  readonly zeros: 'none' | 'packed' | 'float';
  /** Bytes of the packed zero points of a column. */
  readonly zeroBytes: number;
  readonly dims: Dims;
  readonly dtype: DType;
}

/** Throws INVALID_MODEL where attributes and inputs do not fit. */
export function nbitsProblem(n: NBitsNode): NBitsProblem {
  const { K: k, N: columns, bits, block_size: blockSize, weight_prepacked } = n.attributes;
  const { dtype, dims } = n.input(0);
  if (weight_prepacked !== 0) n.fail('has weights packed for one kind of GPU', 'UNSUPPORTED_MODEL');
  if (![2, 4, 8].includes(bits)) n.fail(`has weights of ${bits} bits; expected 2, 4 or 8`, 'UNSUPPORTED_MODEL');
  if (n.node.op === internalName) {
    if (blockSize % chunkSize !== 0) n.fail(`has blocks of ${blockSize}; expected a multiple of ${chunkSize}`);
  } else if (blockSize < chunkSize || !Number.isInteger(Math.log2(blockSize))) {
    n.fail(`has blocks of ${blockSize}; expected a power of two from ${chunkSize} on`);
  }
  if (!isFloat(dtype) || dims.at(-1) !== k) n.fail(`expects an A of floats whose last axis has ${k} elements`);
  const blocks = ceilDiv(k, blockSize);
  const expect = (i: number, what: string, type: DType, size: number) => {
    const input = n.input(i);
    if (input.dtype !== type || sizeOf(input.dims) !== size)
      n.fail(`has ${what} ${input.dtype}${formatDims(input.dims)}; expected ${size} elements of ${type}`);
  };
  expect(1, 'weights', 'uint8', columns * blocks * ((blockSize * bits) / 8));
  expect(2, 'scales', dtype, columns * blocks);
  const zeroBytes = ceilDiv(blocks * bits, 8);
  const zeros = !n.has(3) ? 'none' : n.input(3).dtype === 'uint8' ? 'packed' : 'float';
  if (zeros === 'packed') expect(3, 'zero points', 'uint8', columns * zeroBytes);
  if (zeros === 'float') expect(3, 'zero points', dtype, columns * blocks);
  if (n.has(4) && sizeOf(n.input(4).dims) < k) n.fail(`has a g_idx of ${sizeOf(n.input(4).dims)} for a K of ${k}`);
  if (n.has(5)) expect(5, 'a bias', dtype, columns);
  return {
    m: sizeOf(dims.slice(0, -1)),
    n: columns,
    k,
    bits,
    blockSize,
    blocks,
    zeros,
    zeroBytes,
    dims: [...dims.slice(0, -1), columns],
    dtype,
  };
}
