// The IDX format, in which MNIST and its relatives come: a header with type and sizes, then the elements, big-endian.
// http://yann.lecun.com/exdb/mnist/ (below "THE IDX FILE FORMAT")

import { type DType, packedBytes } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { formatDims, sizeOf } from '../base/shape';
import type { TensorLike, TypedArray } from '../base/tensor-like';
import { fromArrays } from './arrays';
import { Dataset } from './dataset';
import { allBytes, type DataSource } from './source';
import { gather } from './tensors';

export interface IdxOptions {
  /** Shape of a sample where it is not to be the file's: [28, 28, 1] for pictures with a channel. */
  readonly shape?: readonly number[];
  /** Factor on the elements of the pictures, which become float32. Default 1/255 for bytes, else 1. */
  readonly scale?: number;
  readonly signal?: AbortSignal;
}

/** Element types by the number in the header. */
const types: Readonly<Record<number, readonly [DType, new (buffer: ArrayBuffer) => TypedArray]>> = {
  8: ['uint8', Uint8Array],
  9: ['int8', Int8Array],
  11: ['int16', Int16Array],
  12: ['int32', Int32Array],
  13: ['float32', Float32Array],
  14: ['float64', Float64Array],
};

/**
 * A data set of IDX files, gzipped or not: `xs` float32, `ys` int32. Held as the bytes of the files, and converted batch by
 * batch.
 * @throws INVALID_DATA for damaged files, and where there are not as many labels as pictures; NETWORK, ABORTED
 */
export async function fromIDX(
  { xs, ys }: { readonly xs: DataSource; readonly ys?: DataSource },
  options: IdxOptions = {},
): Promise<Dataset> {
  const [pictures, labels] = await Promise.all([
    readIdx(xs, 'the IDX file of xs', options.signal),
    ys === undefined ? undefined : readIdx(ys, 'the IDX file of ys', options.signal),
  ]);
  if (labels && labels.dims[0] !== pictures.dims[0]) {
    throw new LeptonError(
      'INVALID_DATA',
      `The IDX file of xs has ${pictures.dims[0]} samples, but that of ys has ${labels.dims[0]}.`,
    );
  }
  const row = pictures.dims.slice(1);
  const { shape = row, scale = pictures.type === 'uint8' ? 1 / 255 : 1 } = options;
  if (sizeOf(shape) !== sizeOf(row)) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `Samples of ${formatDims(row)} cannot have the shape ${formatDims(shape)}.`,
    );
  }
  const classes = labels && { ...labels, type: 'int32' as const, data: Int32Array.from(labels.data as Uint8Array) };
  const whole = fromArrays({ xs: pictures, ...(classes && { ys: classes }) });
  return new Dataset({
    size: whole.size,
    reshuffles: false,
    read: (indices) => ({
      xs: scaled(gather(pictures, indices), [indices.length, ...shape], scale),
      ...(classes && { ys: gather(classes, indices) }),
    }),
  });
}

function scaled({ data }: TensorLike, dims: readonly number[], scale: number): TensorLike {
  const from = data as Uint8Array;
  const out = new Float32Array(from.length);
  for (let i = 0; i < out.length; i++) out[i] = (from[i] as number) * scale;
  return { type: 'float32', dims, data: out };
}

async function readIdx(source: DataSource, what: string, signal?: AbortSignal): Promise<TensorLike> {
  const bytes = await allBytes(source, what, signal);
  const damaged = (problem: string, offset: number) =>
    new LeptonError('INVALID_DATA', `Byte ${offset} of ${what}: ${problem}`, { details: { offset } });
  const view = new DataView(bytes.buffer);
  const known = bytes.length < 4 || view.getUint16(0) !== 0 ? undefined : types[bytes[2] as number];
  if (!known) {
    throw damaged(
      'an IDX file begins with two zeros and an element type (8, 9, 11, 12, 13 or 14); this one does not.',
      0,
    );
  }
  const [type, View] = known;
  const rank = bytes[3] as number;
  const start = 4 + 4 * rank;
  if (rank === 0 || bytes.length < start) throw damaged(`the header says ${rank} dimensions, but ends early.`, 3);
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const length = packedBytes(type, sizeOf(dims));
  if (bytes.length - start !== length) {
    throw damaged(`${type} ${formatDims(dims)} takes ${length} bytes, but ${bytes.length - start} follow.`, start);
  }
  const body = bytes.slice(start);
  const size = length / Math.max(1, sizeOf(dims));
  for (let i = 0; size > 1 && i < body.length; i += size) body.subarray(i, i + size).reverse();
  return { type, dims, data: new View(body.buffer) };
}
