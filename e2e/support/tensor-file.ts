// A TensorProto file, such as the `input_0.pb` and `output_0.pb` that lie beside models: bytes in, the tensor's
// name, type, shape and packed elements out. Free of Node, so that pages can read such files too.

import { PbfReader } from 'pbf';
import { codecOf } from '../../src/base/codec';
import { bitSize, type DType } from '../../src/base/dtype';
import { encode, ndarray } from '../../src/base/ndarray';
import { dtypeOfNumber } from '../../src/base/onnx-dtypes';
import { sizeOf } from '../../src/base/shape';

export interface TensorFile {
  /** As in the file; often the name of the model's input or output, sometimes ''. */
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Little-endian elements, exactly as the file has them where it holds them raw. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Throws for types without a numeric form, such as strings. */
export function readTensorFile(file: Uint8Array): TensorFile {
  const fields = {
    dims: [] as number[],
    type: 0,
    name: '',
    raw: undefined as Uint8Array | undefined,
    data: [] as number[],
  };
  // A view of its own: slices of a Node Buffer share its memory, those of a Uint8Array are copies.
  const view = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  new PbfReader(view).readFields((tag, out, pbf) => {
    if (tag === 1) pbf.readPackedVarint(out.dims, true);
    else if (tag === 2) out.type = pbf.readVarint();
    else if (tag === 4) pbf.readPackedFloat(out.data);
    else if (tag === 5 || tag === 7) pbf.readPackedVarint(out.data, true);
    else if (tag === 8) out.name = pbf.readString();
    else if (tag === 9) out.raw = pbf.readBytes();
    else if (tag === 10) pbf.readPackedDouble(out.data);
    else if (tag === 11) pbf.readPackedVarint(out.data);
  }, fields);
  const { name, dims, type, raw, data } = fields;
  const dtype = dtypeOfNumber(type);
  if (!dtype) throw new Error(`TensorProto "${name}" has data type ${type}, which has no numeric form here.`);
  if (raw || sizeOf(dims) === 0) return { name, dtype, dims, bytes: new Uint8Array(raw ?? []) };
  // int32_data holds the bits of small floats, and the shared bytes of the smallest integers.
  if (codecOf(dtype)) {
    const codes = bitSize(dtype) === 16 ? Uint16Array.from(data) : Uint8Array.from(data);
    return { name, dtype, dims, bytes: new Uint8Array(codes.buffer) };
  }
  return { name, dtype, dims, bytes: encode(ndarray(dtype, dims, data)) };
}
