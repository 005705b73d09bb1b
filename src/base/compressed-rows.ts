// Sparse matrices in compressed rows (CSR), as typed arrays: made from entries in any order, or from rows that are compressed
// already, and checked.
//
// Invariant: rowOffsets has rows + 1 numbers that never fall, from 0 to the number of entries; within a row column indices
// ascend strictly, so that no place has two entries. Indices take 16 bits where every column has one.

import { LeptonError } from './errors';
import type { Json } from './options';

export interface CompressedRows {
  readonly shape: readonly [rows: number, columns: number];
  /** Row r has the entries from rowOffsets[r] up to rowOffsets[r + 1]. */
  readonly rowOffsets: Int32Array;
  /** Of each entry. */
  readonly columns: Uint16Array | Int32Array;
  readonly values: Float32Array;
}

/** A matrix by its entries: where each is, and what it is. */
export interface SparseEntries {
  readonly shape: readonly [rows: number, columns: number];
  /** The row of each entry, in any order. */
  readonly rows?: ArrayLike<number>;
  /** Instead of `rows`: rows + 1 numbers, row r having the entries from rowOffsets[r] up to rowOffsets[r + 1]. */
  readonly rowOffsets?: ArrayLike<number>;
  /** The column of each entry, in any order. */
  readonly columns: ArrayLike<number>;
  /** Of each entry; default 1. Entries of one place are added up. */
  readonly values?: ArrayLike<number>;
}

/** Columns whose indices fit 16 bits. */
const mostShort = 65_536;
/** Beyond these an index no longer fits 32 bits. */
const mostRows = 2 ** 31 - 2;

/** @throws INVALID_ARGUMENT where an entry lies outside, the lists do not go together, or a value is no finite float32 */
export function compressedRows(entries: SparseEntries): CompressedRows {
  if (typeof entries !== 'object' || entries === null) {
    throw invalid(`A sparse matrix needs its entries, { shape, rows, columns, values }, not ${entries}`);
  }
  const { shape, rows, rowOffsets, columns, values } = entries;
  const [height, width] = checkedShape(shape);
  const count = lengthOf(columns, 'columns');
  if (values && lengthOf(values, 'values') !== count) {
    throw invalid(`There are ${values.length} values for ${count} columns: each entry has one of both`);
  }
  if (rows ? rowOffsets !== undefined : rowOffsets === undefined) {
    throw invalid('A sparse matrix needs the rows of its entries or rowOffsets, and not both');
  }
  const rowOf = rows
    ? checkedRows(rows, count)
    : rowsOf(checkedOffsets(rowOffsets as ArrayLike<number>, height, count));
  for (let i = 0; i < count; i++) {
    const row = rowOf[i] as number;
    const column = columns[i] as number;
    const value = values ? (values[i] as number) : 1;
    if (!isIndex(row, height) || !isIndex(column, width)) {
      throw invalid(`Entry ${i} is at row ${row}, column ${column}, outside a matrix of ${height} × ${width}`, {
        ...{ entry: i, row, column },
      });
    }
    requireFinite(value, i, 'is');
  }
  // First by column: sorting by row keeps that order among the entries of a row.
  const order = orderBy(rowOf, height, orderBy(columns, width));
  const columnsOut = width <= mostShort ? new Uint16Array(count) : new Int32Array(count);
  const valuesOut = new Float32Array(count);
  const lengths = new Int32Array(height);
  let kept = 0;
  let lastRow = -1;
  let lastColumn = -1;
  for (let k = 0; k < count; k++) {
    const i = order[k] as number;
    const row = rowOf[i] as number;
    const column = columns[i] as number;
    const value = values ? (values[i] as number) : 1;
    if (row === lastRow && column === lastColumn) {
      const sum = (valuesOut[kept - 1] as number) + value;
      requireFinite(sum, i, 'adds up to');
      valuesOut[kept - 1] = sum;
      continue;
    }
    columnsOut[kept] = column;
    valuesOut[kept] = value;
    lengths[row] = (lengths[row] as number) + 1;
    kept++;
    lastRow = row;
    lastColumn = column;
  }
  return {
    shape: [height, width],
    rowOffsets: offsetsOf(lengths),
    columns: columnsOut.slice(0, kept),
    values: valuesOut.slice(0, kept),
  };
}

/** The numbers of all entries in ascending order of their keys, which are below `size`; equal ones stay as in `before`. */
export function orderBy(keys: ArrayLike<number>, size: number, before?: Int32Array): Int32Array {
  const counts = new Int32Array(size);
  for (let i = 0; i < keys.length; i++) counts[keys[i] as number] = (counts[keys[i] as number] as number) + 1;
  const next = offsetsOf(counts);
  const order = new Int32Array(keys.length);
  for (let k = 0; k < keys.length; k++) {
    const i = before ? (before[k] as number) : k;
    const key = keys[i] as number;
    const place = next[key] as number;
    order[place] = i;
    next[key] = place + 1;
  }
  return order;
}

/** Where runs of these lengths begin, and behind the last of them where it ends. */
export function offsetsOf(lengths: ArrayLike<number>): Int32Array {
  const offsets = new Int32Array(lengths.length + 1);
  for (let i = 0; i < lengths.length; i++) offsets[i + 1] = (offsets[i] as number) + (lengths[i] as number);
  return offsets;
}

/** The row of each entry. */
export function rowsOf(rowOffsets: ArrayLike<number>): Int32Array {
  const height = rowOffsets.length - 1;
  const rows = new Int32Array(rowOffsets[height] as number);
  for (let row = 0; row < height; row++) rows.fill(row, rowOffsets[row], rowOffsets[row + 1]);
  return rows;
}

/** As plain data that is about as long as the matrix is in memory: the arrays' bytes, little-endian, in base64. */
export function matrixText({ shape, rowOffsets, columns, values }: CompressedRows): Json {
  return { shape, rowOffsets: base64(rowOffsets), columns: base64(columns), values: base64(values) };
}

/** What `matrixText` made; undefined for anything else. @throws INVALID_ARGUMENT as `compressedRows` */
export function matrixOfText(text: Json): CompressedRows | undefined {
  if (typeof text !== 'object' || text === null || Array.isArray(text)) return undefined;
  const { shape, rowOffsets, columns, values } = text as { readonly [key: string]: Json };
  if (typeof rowOffsets !== 'string' || typeof columns !== 'string' || typeof values !== 'string') return undefined;
  const [, width] = checkedShape(shape);
  return compressedRows({
    shape: shape as unknown as [number, number],
    rowOffsets: new Int32Array(bytesOf(rowOffsets, 4)),
    columns: width <= mostShort ? new Uint16Array(bytesOf(columns, 2)) : new Int32Array(bytesOf(columns, 4)),
    values: new Float32Array(bytesOf(values, 4)),
  });
}

/** As many bytes as a call may have arguments anywhere; a multiple of 3, so that parts join. */
const part = 3 * 8192;

function base64({ buffer, byteOffset, byteLength }: Int32Array | Uint16Array | Float32Array): string {
  const bytes = new Uint8Array(buffer, byteOffset, byteLength);
  let text = '';
  for (let at = 0; at < bytes.length; at += part) text += btoa(String.fromCharCode(...bytes.subarray(at, at + part)));
  return text;
}

function bytesOf(text: string, each: number): ArrayBuffer {
  try {
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i);
    if (bytes.length % each === 0) return bytes.buffer;
  } catch {
    // Said below.
  }
  throw invalid('The text of a sparse matrix is damaged');
}

function checkedShape(shape: unknown): readonly [number, number] {
  const fits = (size: unknown) => Number.isInteger(size) && (size as number) > 0 && (size as number) <= mostRows;
  if (Array.isArray(shape) && shape.length === 2 && shape.every(fits)) return shape as unknown as [number, number];
  throw invalid(`A sparse matrix needs a shape [rows, columns] of whole numbers from 1, not ${JSON.stringify(shape)}`);
}

function checkedRows(rows: ArrayLike<number>, count: number): ArrayLike<number> {
  if (lengthOf(rows, 'rows') === count) return rows;
  throw invalid(`There are ${rows.length} rows for ${count} columns: each entry has one of both`);
}

function checkedOffsets(offsets: ArrayLike<number>, height: number, count: number): ArrayLike<number> {
  if (lengthOf(offsets, 'rowOffsets') !== height + 1) {
    throw invalid(`There are ${offsets.length} rowOffsets for ${height} rows; expected ${height + 1}`);
  }
  for (let row = 0; row <= height; row++) {
    const [before, offset] = [row === 0 ? 0 : (offsets[row - 1] as number), offsets[row] as number];
    if (Number.isInteger(offset) && offset >= before && (row > 0 || offset === 0) && offset <= count) continue;
    throw invalid(`rowOffsets[${row}] is ${offset}: they begin with 0, never fall and end with ${count}`, { row });
  }
  if (offsets[height] === count) return offsets;
  throw invalid(`rowOffsets ends with ${offsets[height]}, but there are ${count} columns`);
}

function lengthOf(list: unknown, name: string): number {
  const length = (list as ArrayLike<number> | undefined)?.length;
  if (typeof list === 'object' && Number.isInteger(length)) return length as number;
  throw invalid(`A sparse matrix needs ${name} as a list of numbers`);
}

/** Numbers beyond float32 would be kept as infinities. */
function requireFinite(value: number, entry: number, how: 'is' | 'adds up to'): void {
  if (Number.isFinite(Math.fround(value))) return;
  throw invalid(`Entry ${entry} ${how} ${value}; expected a number that is finite in float32`, { entry });
}

const isIndex = (value: number, size: number) => Number.isInteger(value) && value >= 0 && value < size;

function invalid(message: string, details: Record<string, unknown> = {}): LeptonError {
  return new LeptonError('INVALID_ARGUMENT', `${message}.`, { details });
}
