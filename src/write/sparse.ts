// Constants that are mostly zeros as ONNX's sparse tensors: the other elements, and where they are in row-major order. The
// indices are written as varints (int64_data), of which most take two or three bytes where raw int64 takes eight, so that a
// float32 constant becomes smaller from about 45 % zeros on and one of int8 from about 75 %.

import { encode, type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { Message } from './message';

export interface SparseForm {
  /** [non-zeros] */
  readonly values: NDArray;
  /** int64 [non-zeros], ascending */
  readonly indices: NDArray;
  /** Of both in the file. */
  readonly bytes: number;
}

/** A constant takes a few bytes of framing more in this form; small ones are not worth a second look. */
const leastElements = 256;

/** Bytes of an element, for the types of which every runtime takes sparse tensors. */
const elementBytes: Partial<Record<NDArray['dtype'], number>> = { float32: 4, float16: 2, int8: 1, uint8: 1 };

/** The form, where it is smaller than the dense one. */
export function sparseForm({ dtype, dims, data }: NDArray): SparseForm | undefined {
  const width = elementBytes[dtype];
  if (width === undefined || data.length < leastElements || dims.length === 0) return undefined;
  const most = data.length * width;
  let [count, bytes] = [0, 0];
  for (let i = 0; i < data.length && bytes < most; i++) {
    if (data[i] === 0) continue;
    count++;
    bytes += width + varintBytes(i);
  }
  if (bytes >= most) return undefined;
  const [values, indices] = [ndarray(dtype, [count]), ndarray('int64', [count])];
  let at = 0;
  data.forEach((value, i) => {
    if (value === 0) return;
    values.data[at] = value;
    indices.data[at++] = i;
  });
  return { values, indices, bytes };
}

/** SparseTensorProto. @param indices int64, none below zero */
export function sparseMessage(name: string, dims: readonly number[], values: NDArray, indices: NDArray): Message {
  const type = numberOfDType(values.dtype);
  const places = new Message();
  for (const d of indices.dims) places.int(1, d);
  const out = new Message()
    .message(1, new Message().int(1, values.data.length).int(2, type).string(8, name).bytes(9, encode(values)))
    .message(2, places.int(2, numberOfDType('int64')).bytes(7, varints(indices)));
  for (const d of dims) out.int(3, d);
  return out;
}

function varints({ data }: NDArray): Uint8Array {
  let bytes = 0;
  for (const value of data) bytes += varintBytes(value);
  const out = new Uint8Array(bytes);
  let at = 0;
  for (const value of data) {
    let rest = value;
    for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) out[at++] = (rest % 0x80) | 0x80;
    out[at++] = rest;
  }
  return out;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}
