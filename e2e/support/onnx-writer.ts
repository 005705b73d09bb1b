// Writes small ONNX models for tests: plain objects in, the bytes of a ModelProto out. Nothing is checked
// or normalised, so that tests can also write what a good exporter never would. Field numbers are those
// of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto; repeated attribute fields and dims are
// written unpacked and tensor data packed, as exporters do.

import { PbfWriter } from 'pbf';
import { codecOf } from '../../src/base/codec';
import { bitSize, type DType } from '../../src/base/dtype';
import { encode, type NDArray, ndarray } from '../../src/base/ndarray';
import { numberOfDType } from '../../src/base/onnx-dtypes';

export interface ModelSpec {
  nodes: readonly NodeSpec[];
  inputs?: readonly ValueSpec[];
  outputs?: readonly ValueSpec[];
  initializers?: readonly TensorSpec[];
  sparseInitializers?: readonly SparseTensorSpec[];
  /** Types of intermediate values; usually left to shape inference. */
  values?: readonly ValueSpec[];
  /** Version of the default operator set; 21 unless told. */
  opset?: number;
  /** Versions of further operator sets, by domain. */
  domains?: Readonly<Record<string, number>>;
  functions?: readonly FunctionSpec[];
  irVersion?: number;
  name?: string;
  producer?: string;
  metadata?: Readonly<Record<string, string>>;
}

export type GraphSpec = Pick<
  ModelSpec,
  'nodes' | 'inputs' | 'outputs' | 'initializers' | 'sparseInitializers' | 'values' | 'name'
>;

export interface NodeSpec {
  op: string;
  /** '' leaves an optional input out. */
  inputs?: readonly string[];
  outputs?: readonly string[];
  attributes?: Readonly<Record<string, AttributeSpec>>;
  name?: string;
  domain?: string;
}

export type AttributeSpec =
  | { int: number }
  | { ints: readonly number[] }
  | { float: number }
  | { floats: readonly number[] }
  | { string: string }
  | { strings: readonly string[] }
  | { tensor: TensorSpec }
  | { sparse: SparseTensorSpec }
  | { graph: GraphSpec }
  | { ref: string };

export interface ValueSpec {
  name: string;
  dtype: DType;
  /** Strings are symbolic dimensions, null an unknown one; without a shape even the rank is unknown. */
  shape?: readonly (number | string | null)[];
}

export interface TensorSpec {
  name?: string;
  dtype: DType;
  dims: readonly number[];
  /** One number an element, or `bytes` (packed, little-endian), or `external`. */
  data?: ArrayLike<number>;
  bytes?: Uint8Array;
  /** Where the bytes are in another file; offset and length in bytes. */
  external?: { location: string; offset?: number; length?: number };
  /** 'typed' stores `data` in float_data, int32_data … in place of raw_data. */
  storage?: 'raw' | 'typed';
}

/** The name is that of the values. */
export interface SparseTensorSpec {
  values: TensorSpec;
  indices: TensorSpec;
  /** Of the dense tensor. */
  dims: readonly number[];
}

export interface FunctionSpec {
  name: string;
  domain: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: readonly string[];
  nodes: readonly NodeSpec[];
  opset?: number;
}

export function makeModel(spec: ModelSpec): Uint8Array<ArrayBuffer> {
  const out = new PbfWriter();
  out.writeVarintField(1, spec.irVersion ?? 8);
  out.writeStringField(2, spec.producer ?? 'lepton-tests');
  out.writeMessage(7, writeGraph, spec);
  out.writeMessage(8, writeOpset, ['', spec.opset ?? 21]);
  for (const entry of Object.entries(spec.domains ?? {})) out.writeMessage(8, writeOpset, entry);
  for (const entry of Object.entries(spec.metadata ?? {})) out.writeMessage(14, writeEntry, entry);
  for (const fn of spec.functions ?? []) out.writeMessage(25, writeFunction, fn);
  return new Uint8Array(out.finish());
}

/** The bytes of one TensorProto, as in the `input_*.pb` files beside ONNX's test models. */
export function makeTensor(spec: TensorSpec): Uint8Array<ArrayBuffer> {
  const out = new PbfWriter();
  writeTensor(spec, out);
  return new Uint8Array(out.finish());
}

/** An NDArray as an initialiser. */
export function tensorOf(name: string, array: NDArray): TensorSpec {
  return { name, dtype: array.dtype, dims: array.dims, bytes: encode(array) };
}

/** What of an array is not zero, as a sparse tensor with places in memory order. */
export function sparseTensorOf(name: string, { dtype, dims, data }: NDArray): SparseTensorSpec {
  const places = [...data.keys()].filter((i) => data[i] !== 0);
  return {
    values: { name, dtype, dims: [places.length], data: places.map((i) => data[i] as number) },
    indices: { dtype: 'int64', dims: [places.length], data: places },
    dims,
  };
}

function writeGraph(spec: GraphSpec, out: PbfWriter): void {
  for (const node of spec.nodes) out.writeMessage(1, writeNode, node);
  out.writeStringField(2, spec.name ?? 'graph');
  for (const tensor of spec.initializers ?? []) out.writeMessage(5, writeTensor, tensor);
  for (const tensor of spec.sparseInitializers ?? []) out.writeMessage(15, writeSparseTensor, tensor);
  for (const value of spec.inputs ?? []) out.writeMessage(11, writeValue, value);
  for (const value of spec.outputs ?? []) out.writeMessage(12, writeValue, value);
  for (const value of spec.values ?? []) out.writeMessage(13, writeValue, value);
}

function writeNode(spec: NodeSpec, out: PbfWriter): void {
  for (const name of spec.inputs ?? []) out.writeStringField(1, name);
  for (const name of spec.outputs ?? []) out.writeStringField(2, name);
  if (spec.name) out.writeStringField(3, spec.name);
  out.writeStringField(4, spec.op);
  for (const entry of Object.entries(spec.attributes ?? {})) out.writeMessage(5, writeAttribute, entry);
  if (spec.domain) out.writeStringField(7, spec.domain);
}

function writeAttribute([name, value]: [string, AttributeSpec], out: PbfWriter): void {
  const type = (number: number) => out.writeVarintField(20, number);
  out.writeStringField(1, name);
  if ('float' in value) {
    out.writeFloatField(2, value.float);
    type(1);
  } else if ('int' in value) {
    out.writeVarintField(3, value.int);
    type(2);
  } else if ('string' in value) {
    out.writeStringField(4, value.string);
    type(3);
  } else if ('tensor' in value) {
    out.writeMessage(5, writeTensor, value.tensor);
    type(4);
  } else if ('graph' in value) {
    out.writeMessage(6, writeGraph, value.graph);
    type(5);
  } else if ('floats' in value) {
    for (const v of value.floats) out.writeFloatField(7, v);
    type(6);
  } else if ('ints' in value) {
    for (const v of value.ints) out.writeVarintField(8, v);
    type(7);
  } else if ('strings' in value) {
    for (const v of value.strings) out.writeStringField(9, v);
    type(8);
  } else if ('sparse' in value) {
    out.writeMessage(22, writeSparseTensor, value.sparse);
    type(11);
  } else {
    out.writeStringField(21, value.ref);
  }
}

function writeTensor(spec: TensorSpec, out: PbfWriter): void {
  for (const d of spec.dims) out.writeVarintField(1, d);
  out.writeVarintField(2, numberOfDType(spec.dtype));
  if (spec.name) out.writeStringField(8, spec.name);
  if (spec.external) {
    for (const [key, value] of Object.entries(spec.external)) {
      if (value !== undefined) out.writeMessage(13, writeEntry, [key, String(value)]);
    }
    out.writeVarintField(14, 1);
  } else if (spec.bytes) {
    out.writeBytesField(9, spec.bytes);
  } else if (spec.data && spec.storage === 'typed') {
    writeTyped(spec.dtype, spec.data, out);
  } else if (spec.data) {
    out.writeBytesField(9, encode(ndarray(spec.dtype, [spec.data.length], spec.data)));
  }
}

function writeSparseTensor(spec: SparseTensorSpec, out: PbfWriter): void {
  out.writeMessage(1, writeTensor, spec.values);
  out.writeMessage(2, writeTensor, spec.indices);
  for (const d of spec.dims) out.writeVarintField(3, d);
}

function writeTyped(dtype: DType, data: ArrayLike<number>, out: PbfWriter): void {
  const values = Array.from(data);
  if (dtype === 'float32') out.writePackedFloat(4, values);
  else if (dtype === 'float64') out.writePackedDouble(10, values);
  else if (dtype === 'int64') out.writePackedVarint(7, values);
  else if (dtype === 'uint32' || dtype === 'uint64') out.writePackedVarint(11, values);
  else if (codecOf(dtype)) {
    const bytes = encode(ndarray(dtype, [values.length], values));
    out.writePackedVarint(5, Array.from(bitSize(dtype) === 16 ? new Uint16Array(bytes.buffer) : bytes));
  } else out.writePackedVarint(5, values);
}

function writeValue(spec: ValueSpec, out: PbfWriter): void {
  out.writeStringField(1, spec.name);
  out.writeMessage(2, (value: ValueSpec, type) => type.writeMessage(1, writeTensorType, value), spec);
}

function writeTensorType(spec: ValueSpec, out: PbfWriter): void {
  out.writeVarintField(1, numberOfDType(spec.dtype));
  if (spec.shape) out.writeMessage(2, writeShape, spec.shape);
}

function writeShape(shape: readonly (number | string | null)[], out: PbfWriter): void {
  for (const d of shape) {
    out.writeMessage(
      1,
      (value: number | string | null, dim) => {
        if (typeof value === 'number') dim.writeVarintField(1, value);
        else if (value !== null) dim.writeStringField(2, value);
      },
      d,
    );
  }
}

function writeFunction(spec: FunctionSpec, out: PbfWriter): void {
  out.writeStringField(1, spec.name);
  for (const name of spec.inputs) out.writeStringField(4, name);
  for (const name of spec.outputs) out.writeStringField(5, name);
  for (const name of spec.attributes ?? []) out.writeStringField(6, name);
  for (const node of spec.nodes) out.writeMessage(7, writeNode, node);
  out.writeMessage(9, writeOpset, ['', spec.opset ?? 21]);
  out.writeStringField(10, spec.domain);
}

function writeOpset([domain, version]: [string, number], out: PbfWriter): void {
  out.writeStringField(1, domain);
  out.writeVarintField(2, version);
}

function writeEntry([key, value]: [string, string], out: PbfWriter): void {
  out.writeStringField(1, key);
  out.writeStringField(2, value);
}
