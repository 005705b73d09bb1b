// Work on the tensors of a batch: made from what callers have, gathered, stacked, split into samples.

import { bitSize, type DType, dtypes } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { formatDims, sameDims, sizeOf } from '../base/shape';
import type { TensorLike, TypedArray } from '../base/tensor-like';
import type { Batch, Part } from './types';

/** Numbers in lists of lists, all of the same length at each level. */
export type NestedNumbers = readonly (number | NestedNumbers)[];

type ArrayConstructor = new (source: ArrayBufferLike | number, offset?: number, length?: number) => TypedArray;

/** The tensor as it is; a typed array as one dimension; lists as float32. float64 arrays become float32. */
export function toTensor(value: TensorLike | TypedArray | NestedNumbers, name: string): TensorLike {
  if (isTensor(value)) {
    const { type, dims, data } = value;
    if (!dtypes.includes(type) || bitSize(type) < 8) {
      throw new LeptonError('INVALID_ARGUMENT', `${name} is of type ${type}, which has no whole number of bytes.`);
    }
    if (sizeOf(dims) !== data.length) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        `${name} of shape ${formatDims(dims)} has ${sizeOf(dims)} elements, but its data has ${data.length}.`,
      );
    }
    return { type, dims, data };
  }
  if (ArrayBuffer.isView(value)) {
    if (value instanceof Float64Array) return float32s([value.length], value);
    const type = typeNamed(value[Symbol.toStringTag]);
    if (type) return { type, dims: [value.length], data: value };
  } else if (Array.isArray(value)) {
    return fromLists(value, name);
  }
  throw new LeptonError(
    'INVALID_ARGUMENT',
    `${name} must be a tensor ({ type, dims, data }), a typed array or lists of numbers.`,
  );
}

/** 'Uint8ClampedArray' → 'uint8' */
function typeNamed(array: string): DType | undefined {
  const name = array
    .toLowerCase()
    .replace(/^big|clamped/g, '')
    .replace('array', '');
  return dtypes.find((type) => type === name);
}

export function isTensor(value: unknown): value is TensorLike {
  return typeof value === 'object' && value !== null && 'dims' in value && 'type' in value && 'data' in value;
}

export function float32s(dims: readonly number[], values: ArrayLike<number>): TensorLike {
  return { type: 'float32', dims, data: Float32Array.from(values) };
}

function fromLists(lists: NestedNumbers, name: string): TensorLike {
  const dims: number[] = [];
  for (let at: number | NestedNumbers | undefined = lists; Array.isArray(at); at = at[0]) dims.push(at.length);
  const data = new Float32Array(sizeOf(dims));
  let next = 0;
  const visit = (list: NestedNumbers, depth: number, path: string): void => {
    if (list.length !== dims[depth]) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        `${path} has ${list.length} entries, but the lists before it have ${dims[depth]}.`,
      );
    }
    list.forEach((entry, i) => {
      const isList = Array.isArray(entry);
      if (isList !== depth < dims.length - 1 || (!isList && typeof entry !== 'number')) {
        throw new LeptonError(
          'INVALID_ARGUMENT',
          `${path}[${i}] is ${JSON.stringify(entry)} where a ${isList ? 'number' : 'list or number as before it'} was expected.`,
        );
      }
      if (isList) visit(entry as NestedNumbers, depth + 1, `${path}[${i}]`);
      else data[next++] = entry as number;
    });
  };
  visit(lists, 0, name);
  return { type: 'float32', dims, data };
}

/** A new array of the same kind. */
export function arrayLike(array: TypedArray, source: ArrayBufferLike | number): TypedArray {
  return new (array.constructor as ArrayConstructor)(source);
}

function bytesOf({ data }: TensorLike): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The rows at `indices`, copied. */
export function gather(tensor: TensorLike, indices: readonly number[]): TensorLike {
  const row = tensor.dims.slice(1);
  const bytes = sizeOf(row) * tensor.data.BYTES_PER_ELEMENT;
  const from = bytesOf(tensor);
  const out = new Uint8Array(indices.length * bytes);
  indices.forEach((index, i) => {
    out.set(from.subarray(index * bytes, (index + 1) * bytes), i * bytes);
  });
  return { type: tensor.type, dims: [indices.length, ...row], data: arrayLike(tensor.data, out.buffer) };
}

/** One sample of a batch: a view of its memory. */
export function rowOf({ type, dims, data }: TensorLike, index: number): TensorLike {
  const row = dims.slice(1);
  const length = sizeOf(row);
  const View = data.constructor as ArrayConstructor;
  const offset = data.byteOffset + index * length * data.BYTES_PER_ELEMENT;
  return { type, dims: row, data: new View(data.buffer, offset, length) };
}

/** Tensors of one type and shape put after each other, along the first dimension or, with `stack`, along a new one. */
export function join(tensors: readonly TensorLike[], stack: boolean, name: string): TensorLike {
  const first = tensors[0] as TensorLike;
  const row = stack ? first.dims : first.dims.slice(1);
  tensors.forEach(({ type, dims }, i) => {
    if (type === first.type && sameDims(stack ? dims : dims.slice(1), row)) return;
    throw new LeptonError(
      'INVALID_INPUT',
      `${name} of sample ${i} is ${type} ${formatDims(dims)}, but that of the first is ${first.type} ${formatDims(first.dims)}: samples of one batch must agree. Resize or pad them in map().`,
    );
  });
  const out = new Uint8Array(tensors.reduce((sum, { data }) => sum + data.byteLength, 0));
  let at = 0;
  for (const tensor of tensors) {
    out.set(bytesOf(tensor), at);
    at += tensor.data.byteLength;
  }
  const count = stack ? tensors.length : tensors.reduce((sum, { dims }) => sum + (dims[0] as number), 0);
  return { type: first.type, dims: [count, ...row], data: arrayLike(first.data, out.buffer) };
}

/** `change` applied to every tensor of the part; its second argument says which, for errors: 'xs' or 'xs.age'. */
export function mapPart(part: Part, name: string, change: (tensor: TensorLike, name: string) => TensorLike): Part {
  if (isTensor(part)) return change(part, name);
  return Object.fromEntries(Object.entries(part).map(([key, tensor]) => [key, change(tensor, `${name}.${key}`)]));
}

export function mapBatch(batch: Batch, change: (tensor: TensorLike, name: string) => TensorLike): Batch {
  return {
    xs: mapPart(batch.xs, 'xs', change),
    ...(batch.ys && { ys: mapPart(batch.ys, 'ys', change) }),
    ...(batch.sampleWeight && { sampleWeight: change(batch.sampleWeight, 'sampleWeight') }),
  };
}

/** The tensor that `mapBatch` calls `name`. */
export function tensorNamed(batch: Batch, name: string): TensorLike | undefined {
  const dot = name.indexOf('.');
  const part = batch[(dot < 0 ? name : name.slice(0, dot)) as keyof Batch];
  return (dot < 0 ? part : (part as Record<string, TensorLike> | undefined)?.[name.slice(dot + 1)]) as
    | TensorLike
    | undefined;
}

/** Batches (or with `stack` samples) as one batch. */
export function joinBatches(batches: readonly Batch[], stack: boolean): Batch {
  return mapBatch(batches[0] as Batch, (_, name) => {
    const tensors = batches.map((batch, i) => {
      const tensor = tensorNamed(batch, name);
      if (tensor) return tensor;
      throw new LeptonError('INVALID_INPUT', `Sample ${i} has no ${name}, but the first of its batch has.`);
    });
    return join(tensors, stack, name);
  });
}

/** Calls `visit` with every tensor of the batch and its name. */
export function eachTensor(batch: Batch, visit: (tensor: TensorLike, name: string) => void): void {
  mapBatch(batch, (tensor, name) => {
    visit(tensor, name);
    return tensor;
  });
}
