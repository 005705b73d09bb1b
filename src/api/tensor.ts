// Tensors on the page's side: typed data with dimensions, in memory or on the worker's GPU.

import type { PowerPreference } from '../base/adapter';
import { type DType, dtypes } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { formatDims, sizeOf } from '../base/shape';
import type { WireGpuTensor, WireTensor } from '../worker/protocol';
import { arrayConstructor, fitsType, isCoded, packing, type TensorData, type TensorDataMap } from './typed-arrays';
import { defaultClient, type WorkerClient } from './worker-client';

export interface UploadOptions {
  /** The worker script of the models that will use the tensor, where `load` was given one. */
  readonly workerUrl?: string | URL;
  /** The power preference of those models, where they were loaded with one: each has a device of its own. */
  readonly powerPreference?: PowerPreference;
}

export class Tensor<T extends DType = DType> {
  readonly type: T;
  readonly dims: readonly number[];
  #data: TensorDataMap[T] | undefined;
  #gpu: { readonly client: WorkerClient; readonly id: number } | undefined;
  #disposed = false;
  /** Runs under way that read the GPU memory. */
  #uses = 0;

  /**
   * @param type element type, as in ONNX Runtime Web
   * @param data elements in row-major order; not copied. int64 and uint64 take BigInt arrays, bool a
   *   Uint8Array of zeros and ones (or booleans), float16 a Float16Array or its bits in a Uint16Array, bfloat16
   *   its bits in a Uint16Array, floats of 8 and 4 bits and integers of 4 and 2 bits a Uint8Array as in ONNX
   *   files: two 4-bit elements to a byte or four 2-bit ones, the first in the low bits
   * @param dims default: one dimension, of as many elements as the data holds
   * @throws INVALID_ARGUMENT where type, data and dims do not fit each other
   */
  constructor(
    type: T,
    data: TensorDataMap[T] | readonly number[] | readonly bigint[] | readonly boolean[],
    dims?: readonly number[],
  ) {
    if (!dtypes.includes(type)) {
      throw new LeptonError('INVALID_ARGUMENT', `"${type}" is not an element type; there are ${dtypes.join(', ')}.`);
    }
    const typed = Array.isArray(data) ? fromList(type, data) : (data as TensorDataMap[T]);
    if (!ArrayBuffer.isView(typed) || !fitsType(type, typed)) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        `A ${type} tensor takes ${arrayConstructor(type).name}, but was given ${Object.prototype.toString.call(data).slice(8, -1)}.`,
      );
    }
    this.type = type;
    this.dims = checkDims(type, dims ?? [typed.length * packing(type)], typed.length);
    this.#data = typed;
  }

  /** @internal */
  static fromWire(wire: WireTensor | WireGpuTensor, client: WorkerClient): Tensor {
    if ('bytes' in wire) {
      return new Tensor(wire.type, new (arrayConstructor(wire.type))(wire.bytes.buffer), wire.dims);
    }
    const tensor = new Tensor(wire.type, new (arrayConstructor(wire.type))(new ArrayBuffer(0)), [0]);
    tensor.#data = undefined;
    tensor.#gpu = { client, id: wire.gpu };
    Object.assign(tensor, { dims: wire.dims });
    client.watch(tensor, wire.gpu);
    return tensor;
  }

  /** Number of elements. */
  get size(): number {
    return sizeOf(this.dims);
  }

  get location(): 'cpu' | 'gpu' {
    return this.#gpu ? 'gpu' : 'cpu';
  }

  /** The elements. @throws UNSUPPORTED_OPERATION for a tensor on the GPU: use `read()` */
  get data(): TensorDataMap[T] {
    this.#alive();
    if (!this.#data) {
      throw new LeptonError(
        'UNSUPPORTED_OPERATION',
        'This tensor is on the GPU: get its elements with `await tensor.read()`.',
      );
    }
    return this.#data;
  }

  /** The elements, wherever they are. From the GPU a fresh array each time. */
  async read(): Promise<TensorDataMap[T]> {
    this.#alive();
    if (!this.#gpu) return this.data;
    const { bytes } = await this.#gpu.client.call((worker, id) => worker.read(id), this.#gpu.id);
    return new (arrayConstructor(this.type))(bytes.buffer) as TensorDataMap[T];
  }

  /** A copy on the GPU, which feeds runs without crossing to the worker each time. */
  async upload(options: UploadOptions = {}): Promise<Tensor<T>> {
    const client = defaultClient(options.workerUrl);
    const { powerPreference } = options;
    const wire = await client.call((worker, t) => worker.upload(t, powerPreference), Tensor.toWire(this, false));
    return Tensor.fromWire(wire, client) as Tensor<T>;
  }

  /**
   * Frees a tensor's GPU memory, after the runs it has been fed to. A tensor in memory is freed by forgetting
   * it; this makes it unusable.
   */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#data = undefined;
    if (this.#uses === 0) this.#free();
  }

  /** @internal Keeps the GPU memory until the function returned is called. */
  hold(): () => void {
    this.#uses++;
    return () => {
      this.#uses--;
      if (this.#disposed && this.#uses === 0) this.#free();
    };
  }

  #free(): void {
    if (this.#gpu) this.#gpu.client.release(this, this.#gpu.id);
  }

  /** @internal What crosses to the worker: the memory itself, or a copy of it. */
  static toWire(tensor: Tensor, give: boolean): WireTensor {
    const { buffer, byteOffset, byteLength } = tensor.data;
    if (byteLength === 0 && tensor.size > 0) {
      throw new LeptonError(
        'INVALID_INPUT',
        'The memory of this tensor was given away, by a run with { transfer: true } or by other code.',
      );
    }
    const whole = byteOffset === 0 && byteLength === buffer.byteLength && buffer instanceof ArrayBuffer;
    const bytes =
      give && whole ? new Uint8Array(buffer as ArrayBuffer) : new Uint8Array(buffer, byteOffset, byteLength).slice();
    return { type: tensor.type, dims: tensor.dims, bytes };
  }

  /** @internal */
  gpuId(client: WorkerClient): number | undefined {
    this.#alive();
    if (this.#gpu && this.#gpu.client !== client) {
      throw new LeptonError(
        'INVALID_INPUT',
        'This GPU tensor belongs to another worker than the model: read it and feed the result.',
      );
    }
    return this.#gpu?.id;
  }

  #alive(): void {
    if (this.#disposed) throw new LeptonError('DISPOSED', 'This tensor was disposed of.');
  }
}

function fromList<T extends DType>(type: T, list: readonly (number | bigint | boolean)[]): TensorDataMap[T] {
  const { name } = arrayConstructor(type);
  if (type === 'float16' && name === 'Uint16Array') {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      'This browser has no Float16Array: give float16 data as its bits in a Uint16Array.',
    );
  }
  if (isCoded(type)) {
    throw new LeptonError('INVALID_ARGUMENT', `A ${type} tensor takes its bits in a ${name}, not a list of values.`);
  }
  const Ctor = arrayConstructor(type) as unknown as { from(list: readonly unknown[]): TensorDataMap[T] };
  try {
    if (type === 'int64' || type === 'uint64') return Ctor.from(list.map((v) => BigInt(v)));
    return Ctor.from(list.map(Number));
  } catch (cause) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `The values given do not convert to ${type}: ${(cause as Error).message}`,
      { cause },
    );
  }
}

function checkDims(type: DType, dims: readonly number[], elements: number): readonly number[] {
  if (!dims.every((d) => Number.isSafeInteger(d) && d >= 0)) {
    throw new LeptonError('INVALID_ARGUMENT', `Dimensions must be whole numbers from 0, but are ${formatDims(dims)}.`);
  }
  const expected = Math.ceil(sizeOf(dims) / packing(type));
  if (expected !== elements) {
    const what = packing(type) > 1 ? 'bytes' : 'elements';
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `${type} ${formatDims(dims)} has ${expected} ${what}, but ${elements} were given.`,
      { details: { dims, [what]: elements } },
    );
  }
  return Object.freeze([...dims]);
}

export type { TensorData };
