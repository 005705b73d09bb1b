// ONNX Runtime Web as the oracle: a model's bytes and feeds in, its outputs out, computed by the wasm
// engine on one thread in Node. Tensors are NDArrays on both sides, so results compare directly.

import * as ort from 'onnxruntime-web';
import type { DType } from '../../src/base/dtype';
import { decode, encode, type NDArray } from '../../src/base/ndarray';

ort.env.wasm.numThreads = 1;
ort.env.logLevel = 'error';

export type Feeds = Readonly<Record<string, NDArray>>;

export interface Oracle {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Feeds): Promise<Record<string, NDArray>>;
  release(): Promise<void>;
}

/** A session for several runs. `externalData` maps the locations a model names to their bytes. */
export async function ortOpen(
  model: Uint8Array,
  externalData: Readonly<Record<string, Uint8Array>> = {},
): Promise<Oracle> {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['wasm'],
    // Errors only: its warnings go straight to a standard output that may refuse them for a moment.
    logSeverityLevel: 3,
    externalData: Object.entries(externalData).map(([path, data]) => ({ path, data })),
  });
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds) {
      const entries = Object.entries(feeds).map(([name, array]) => [name, toOrt(array)] as const);
      const results = await session.run(Object.fromEntries(entries));
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromOrt(tensor)]));
    },
    release: () => session.release(),
  };
}

/** One run of one model. */
export async function ortRun(model: Uint8Array, feeds: Feeds): Promise<Record<string, NDArray>> {
  const oracle = await ortOpen(model);
  try {
    return await oracle.run(feeds);
  } finally {
    await oracle.release();
  }
}

const wireArrays = {
  float32: Float32Array,
  float16: Uint16Array,
  float64: Float64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const satisfies Partial<Record<DType, new (buffer: ArrayBuffer) => unknown>>;

function toOrt(array: NDArray): ort.Tensor {
  if (!(array.dtype in wireArrays)) throw new Error(`onnxruntime-web has no tensors of ${array.dtype}.`);
  const data = new wireArrays[array.dtype as keyof typeof wireArrays](encode(array).buffer);
  return new ort.Tensor(array.dtype as 'float32', data as Float32Array, array.dims);
}

function fromOrt(tensor: ort.Tensor): NDArray {
  const data = tensor.data as Float32Array;
  return decode(tensor.type as DType, tensor.dims, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
