// TensorProto → a constant: inline where small or written as varints, else a reference into the file or
// into an external one. Invariant: the data's length agrees with the shape before anything is allocated.

import { PbfReader } from 'pbf';
import { codecOf } from '../base/codec';
import { bitSize, type DType, packedBytes } from '../base/dtype';
import { decode, type NDArray, ndarray } from '../base/ndarray';
import { formatDims, sizeOf } from '../base/shape';
import type { TensorAttribute } from '../ir/attributes';
import type { StoredBytes } from '../ir/graph';
import { malformed, unsupported } from './malformed';
import type { Piece } from './message';
import type { TensorProto } from './proto';
import { requireDType } from './types';

type TypedData = 'float' | 'double' | 'int32' | 'int64' | 'uint64';

/** The field that holds the elements where raw_data does not; its name in ONNX is this and '_data'. */
function typedField(dtype: DType): TypedData {
  switch (dtype) {
    case 'float32':
      return 'float';
    case 'float64':
      return 'double';
    case 'int64':
      return 'int64';
    case 'uint32':
    case 'uint64':
      return 'uint64';
    default:
      return 'int32';
  }
}

/**
 * @param owner what the tensor is, for errors: 'Initialiser "w"'
 * @throws INVALID_MODEL where shape and data disagree, UNSUPPORTED_MODEL for element types Lepton lacks
 */
export function readTensor(proto: TensorProto, owner: string): TensorAttribute {
  const dtype = requireDType(proto.type ?? 0, owner);
  const { dims } = proto;
  const count = sizeOf(dims);
  const length = packedBytes(dtype, count);
  if (dims.some((d) => !Number.isSafeInteger(d) || d < 0) || !Number.isSafeInteger(length)) {
    throw malformed(`${owner} has the impossible shape ${formatDims(dims)}.`, { got: dims });
  }
  const label = `${owner} (${dtype} ${formatDims(dims)})`;
  const stored = (bytes: StoredBytes): TensorAttribute => ({ dtype, dims, constant: { kind: 'stored', bytes } });
  const inline = (array: NDArray): TensorAttribute => ({ dtype, dims, constant: { kind: 'inline', array } });
  if (proto.location === 1 && length > 0) return stored(externalBytes(proto, label, length));

  const field = typedField(dtype);
  const isRaw = proto.raw.length > 0;
  if (!isRaw && (field === 'int32' || field === 'int64' || field === 'uint64')) {
    return inline(varints(proto[field], field, dtype, dims, label));
  }
  // Of a field that may occur once, protobuf takes the last.
  const pieces = isRaw ? proto.raw.slice(-1) : proto[field];
  const got = pieces.reduce((sum, p) => sum + p.length, 0);
  if (got !== length) throw mismatch(label, length, got, isRaw ? 'raw_data' : `${field}_data`);
  if (pieces.every((p) => p.bytes)) return inline(decode(dtype, dims, concatenate(pieces)));
  const only = pieces[0];
  if (pieces.length > 1 || !only) {
    throw unsupported(`${label}: ${field}_data is split into ${pieces.length} pieces. Save the model again.`);
  }
  return stored({ file: '', offset: only.offset, length });
}

function mismatch(label: string, expected: number, got: number, field: string): Error {
  return malformed(
    got === 0
      ? `${label} has no data: it needs ${expected} bytes in raw_data or ${field}.`
      : `${label} needs ${expected} bytes, but its ${field} has ${got}.`,
    { expected, got },
  );
}

/** Elements written as varints. Types of fewer bits than 32 that are no integers of whole bytes come as codes. */
function varints(
  pieces: readonly Piece[],
  field: 'int32' | 'int64' | 'uint64',
  dtype: DType,
  dims: readonly number[],
  label: string,
): NDArray {
  const bytes = concatenate(pieces);
  const codeBytes = codecOf(dtype) && Math.max(1, bitSize(dtype) / 8);
  const expected = codeBytes ? packedBytes(dtype, sizeOf(dims)) / codeBytes : sizeOf(dims);
  let got = 0;
  for (const byte of bytes) if (byte < 0x80) got++;
  if (got !== expected) {
    const what = bitSize(dtype) < 8 ? 'bytes' : 'elements';
    throw malformed(`${label} needs ${expected} ${what}, but its ${field}_data has ${got}.`, { expected, got });
  }
  const pbf = new PbfReader(bytes);
  const next = () => pbf.readVarint(field !== 'uint64');
  if (codeBytes) {
    const codes = new (codeBytes === 1 ? Uint8Array : Uint16Array)(expected);
    for (let i = 0; i < expected; i++) codes[i] = next();
    return decode(dtype, dims, new Uint8Array(codes.buffer));
  }
  const array = ndarray(dtype, dims);
  for (let i = 0; i < expected; i++) array.data[i] = next();
  return array;
}

function concatenate(pieces: readonly Piece[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    out.set(piece.bytes as Uint8Array, at);
    at += piece.length;
  }
  return out;
}

function externalBytes(proto: TensorProto, label: string, expected: number): StoredBytes {
  const entries = new Map(proto.external.map((e) => [e.key ?? '', e.value ?? '']));
  const file = entries.get('location') ?? '';
  // A model may come from anyone: it must not choose which other addresses are fetched.
  const escapes = /^[a-z][a-z0-9+.-]*:|^[/\\]|\\/i.test(file) || file.split('/').includes('..');
  if (file === '' || escapes) {
    throw malformed(
      `${label} keeps its data in the file "${file}"; expected a path relative to the model, without "..", "\\" or a scheme.`,
      { got: file },
    );
  }
  const offset = wholeNumber(entries.get('offset') ?? '0', 'offset', label);
  const length = wholeNumber(entries.get('length') ?? String(expected), 'length', label);
  if (length !== expected) throw mismatch(label, expected, length, `external data in "${file}"`);
  return { file, offset, length };
}

function wholeNumber(text: string, key: string, label: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw malformed(`${label} has external data with ${key} "${text}"; expected a whole number of bytes.`, { got: text });
}
