// Tensors and strings → the bytes of a safetensors file, as `read/safetensors` and Python's package read it.

import { type DType, packedBytes } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { safetensorsNames } from '../base/safetensors-dtypes';
import { formatDims, sizeOf } from '../base/shape';
import { joined } from './message';

export interface NamedTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Packed, little-endian. */
  readonly bytes: Uint8Array;
}

/** The data begins at a multiple of this, and wide elements come first: all are aligned. */
const alignment = 8;

/**
 * @throws UNSUPPORTED_OPERATION for element types that the format lacks; INVALID_ARGUMENT where a name repeats, or a shape
 *   and its bytes disagree
 */
export function writeSafetensors(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const inOrder = tensors.toSorted(
    (a, b) => elementBytes(b) - elementBytes(a) || (a.name < b.name ? -1 : Number(a.name > b.name)),
  );
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push(['__metadata__', metadata]);
  const names = new Set(['__metadata__']);
  let end = 0;
  for (const { name, dtype, dims, bytes } of inOrder) {
    if (names.has(name)) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        `A safetensors file cannot have two tensors "${name}", nor one "__metadata__".`,
      );
    }
    names.add(name);
    const expected = packedBytes(dtype, sizeOf(dims));
    if (bytes.length !== expected) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        `Tensor "${name}" (${dtype} ${formatDims(dims)}) needs ${expected} bytes, but has ${bytes.length}.`,
      );
    }
    entries.push([name, { dtype: nameOf(dtype, name), shape: dims, data_offsets: [end, end + expected] }]);
    end += expected;
  }
  // Object.fromEntries keeps a tensor named '__proto__' a tensor.
  const text = JSON.stringify(Object.fromEntries(entries));
  const header = new TextEncoder().encode(text);
  const padded = Math.ceil(header.length / alignment) * alignment;
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded), true);
  const spaces = new Uint8Array(padded - header.length).fill(0x20);
  return joined([length, header, spaces, ...inOrder.map(({ bytes }) => bytes)]);
}

function elementBytes({ dtype }: NamedTensor): number {
  return packedBytes(dtype, 1);
}

function nameOf(dtype: DType, tensor: string): string {
  const name = (safetensorsNames as Partial<Record<DType, string>>)[dtype];
  if (name) return name;
  throw new LeptonError('UNSUPPORTED_OPERATION', `Tensor "${tensor}" is ${dtype}, which safetensors files lack.`);
}
