// A model smaller: weights of products and convolutions become zero, or integers, or halves, and the report says what that
// saves and costs. In: a graph with its constants' files; out: standard ONNX, which this and other runtimes read.

import type { ByteSource } from '../base/bytes';
import { isFloat } from '../base/dtype';
import { LeptonError, throwIfAborted } from '../base/errors';
import { decode, encode, type NDArray, type NumericArray, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import type { Graph, Value } from '../ir/graph';
import { isFloatAttribute } from '../ops/attribute-kinds';
import { checkSparse } from '../read/patterns';
import { writeOnnx } from '../write/onnx';
import { sparseForm } from '../write/sparse';
import { calibrate, type Runner, relative } from './calibrate';
import { arrayOf, foldMovement, loadConstants, type StoredConstants } from './constants';
import { toHalf } from './half';
import { findLayers, type Layer } from './layers';
import { type CheckedOptions, checkOptions } from './options';
import { prune } from './prune';
import { fromInt4, fromInt8, toInt4, toInt8 } from './quantize';
import { type Encoding, type Kept, rewriteLayers } from './rewrite';
import { type SensitivityRequest, sensitivities } from './sensitivity';
import type { CalibrationArrays, CompressOptions, CompressProgress, CompressReport, LayerReport } from './types';

export interface CompressRequest {
  readonly graph: Graph;
  /** The model's file is ''. */
  readonly fileOf: (name: string) => ByteSource;
  /** Bytes of all files of the model. */
  readonly bytes: number;
  readonly options: CompressOptions;
  /** Data to compare both models on, and what runs them. */
  readonly calibration?: { readonly data: CalibrationArrays; readonly runner: Runner };
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CompressProgress) => void;
}

export interface Compressed {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly report: CompressReport;
}

/**
 * @throws INVALID_ARGUMENT for options and data that do not fit the model; INVALID_MODEL; UNSUPPORTED_MODEL; ABORTED
 */
export async function compressGraph(request: CompressRequest): Promise<Compressed> {
  const { signal = new AbortController().signal, onProgress = () => {}, calibration } = request;
  const options = checkOptions(request.options);
  await checkSparse(request.graph, request.fileOf, signal);
  const stored = await loadConstants(request.graph, request.fileOf, signal);
  const original = foldMovement(request.graph, stored);
  const wasSparse = new Set(request.graph.nodes.flatMap((n) => (n.op === 'lepton.SparseTensor' ? n.outputs : [])));
  const weights = new Map<Layer, Float32Array>();
  const found = findLayers(original, options.skip).map((layer): Layer => {
    if (layer.left !== undefined) return layer;
    const floats = floatsOf(original.values.get(layer.weight) as Value, stored);
    if (!floats.every(Number.isFinite)) return { ...layer, left: 'not all of its weights are finite' };
    weights.set(layer, floats);
    return layer;
  });
  checkNames(found, options);
  const layers = [...weights.keys()];
  const turn = async (stage: CompressProgress['stage'], loaded: number, total: number) => {
    onProgress({ stage, loaded, total });
    // An abort is a message: it gets its turn here.
    await new Promise((resolve) => setTimeout(resolve));
    throwIfAborted(signal, 'Compressing the model');
  };

  const pruned = new Map<Layer, Float32Array>();
  if (options.prune) {
    await turn('prune', 0, 1);
    const scores = await scoresOf({ ...request, signal, onProgress }, options, original, weights);
    const prunable = layers.map((layer) => {
      const own = scores?.get(layer.weight);
      const names = [layer.name, layer.weight];
      return { names, view: layer.view, weights: weights.get(layer) as Float32Array, ...(own && { scores: own }) };
    });
    prune(prunable, options.prune).forEach((own, i) => {
      if (own) pruned.set(layers[i] as Layer, own);
    });
    await turn('prune', 1, 1);
  }

  const encodings = new Map<Layer, Encoding>();
  const after = new Map<Layer, Float32Array>();
  for (const [i, layer] of layers.entries()) {
    const own = pruned.get(layer) ?? (weights.get(layer) as Float32Array);
    const { encoding, stand } = encodingOf(layer, own, options);
    if (encoding.kind !== 'float' || pruned.has(layer)) encodings.set(layer, encoding);
    after.set(layer, stand);
    await turn('quantize', i + 1, layers.length);
  }
  const { graph: rewritten, kept } = rewriteLayers(original, encodings);
  const compressed = options.quantize?.type === 'float16' ? toHalf(rewritten) : rewritten;
  const write = (graph: Graph) => writeOnnx(graph, { isFloat: isFloatAttribute, storedBytes: stored, sparse: true });
  await turn('write', 0, 1);
  const bytes = write(compressed);
  const half = options.quantize?.type === 'float16';
  const reports = found.map((layer) => {
    const array = arrayOf(original.values.get(layer.weight) as Value, stored);
    const own = kept.get(layer.weight) ?? { form: layer.dtype, constants: [array] };
    const now = half ? { form: 'float16', constants: own.constants.map(asHalf) } : own;
    return layerReport(layer, array, wasSparse.has(layer.weight), now, after.get(layer));
  });
  await turn('write', 1, 1);
  const report: CompressReport = { bytes: { before: request.bytes, after: bytes.length }, layers: reports };
  if (!calibration) return { bytes, report };
  const outputOf = (layer: Layer) => layer.nodes[0]?.outputs[0] as string;
  const compared = await calibrate({
    ...{ original, compressed, write, signal, onProgress, ...calibration },
    values: layers.map(outputOf),
  });
  const errors = new Map(layers.map((layer) => [layer.weight, compared.errors.get(outputOf(layer))]));
  const withErrors = reports.map((layer) => {
    const outputError = errors.get(layer.weight);
    return outputError === undefined ? layer : { ...layer, outputError };
  });
  return { bytes, report: { ...report, layers: withErrors, calibration: compared.report } };
}

function checkNames(layers: readonly Layer[], { prune, skip }: CheckedOptions): void {
  if (layers.length === 0) {
    throw new LeptonError(
      'UNSUPPORTED_MODEL',
      'The model has no MatMul, Gemm or Conv with constant weights: there is nothing to compress.',
    );
  }
  const names = new Set(layers.flatMap(({ name, weight }) => [name, weight]));
  const bySparsity = typeof prune?.sparsity === 'object' ? Object.keys(prune.sparsity) : [];
  const wanted = [...bySparsity, ...skip.filter((s) => typeof s === 'string' && s !== 'first' && s !== 'last')];
  const unknown = wanted.find((name) => !names.has(name as string));
  if (unknown === undefined) return;
  throw new LeptonError(
    'INVALID_ARGUMENT',
    `compress(): the model has no layer "${unknown}"; there are ${layers.map(({ name }) => `"${name}"`).join(', ')}.`,
    { details: { layers: layers.map(({ name, weight }) => ({ name, weight })) } },
  );
}

async function scoresOf(
  { calibration, fileOf, signal, onProgress }: CompressRequest & Pick<SensitivityRequest, 'signal' | 'onProgress'>,
  { prune }: CheckedOptions,
  graph: Graph,
  weights: ReadonlyMap<Layer, Float32Array>,
): Promise<ReadonlyMap<string, Float32Array> | undefined> {
  if (prune?.criterion !== 'sensitivity') return undefined;
  if (!calibration) {
    throw new LeptonError(
      'INVALID_ARGUMENT',
      'compress(): prune.criterion "sensitivity" needs calibration data with labels.',
    );
  }
  const byName = new Map([...weights].map(([{ weight }, floats]) => [weight, floats]));
  return sensitivities({ graph, fileOf, weights: byName, ...calibration, signal, onProgress });
}

function floatsOf(value: Value, stored: StoredConstants): Float32Array {
  return arrayOf(value, stored).data as Float32Array;
}

/** What the weights are kept as, and the numbers that then stand for them. */
function encodingOf(
  layer: Layer,
  weights: Float32Array,
  { quantize }: CheckedOptions,
): { readonly encoding: Encoding; readonly stand: Float32Array } {
  const plain = { encoding: { kind: 'float', weights }, stand: weights } as const;
  if (quantize?.type === 'float16') {
    const { data } = asHalf(ndarray('float32', [weights.length], weights));
    return { ...plain, stand: data as Float32Array };
  }
  const integers = quantize && quantized(layer, weights, quantize);
  return integers ?? plain;
}

function quantized(layer: Layer, weights: Float32Array, quantize: NonNullable<CheckedOptions['quantize']>) {
  const { view, dtype } = layer;
  const { type, blockSize, symmetric } = quantize;
  const width = dtype === 'float16' ? 2 : 4;
  // Scales, names and a node more take some hundred bytes: weights of a few elements would grow.
  const overhead = 200;
  const before = sparseForm(ndarray(dtype, layer.dims, weights))?.bytes ?? weights.length * width;
  if (type === 'int4') {
    const int4 = toInt4(view, weights, blockSize, symmetric);
    const size = weights.length / 2 + int4.scales.length * (width + (symmetric ? 0 : 0.5)) + overhead;
    if (size >= before) return undefined;
    return { encoding: { kind: 'int4', int4, blockSize, symmetric }, stand: fromInt4(view, int4, blockSize) } as const;
  }
  const int8 = toInt8(view, weights);
  const codes = ndarray('int8', layer.dims, int8.codes);
  const size = (sparseForm(codes)?.bytes ?? weights.length) + view.rows * width + overhead;
  if (size >= before) return undefined;
  const dynamic = type === 'dynamic-int8';
  return { encoding: { kind: 'int8', int8, dynamic }, stand: fromInt8(view, int8) } as const;
}

/** @param stand what the weights have become; undefined where they stayed */
function layerReport(
  { name, op, weight, dims, left }: Layer,
  array: NDArray,
  wasSparse: boolean,
  now: Kept,
  stand: Float32Array | undefined,
): LayerReport {
  const { data } = array;
  let [apart, whole] = [0, 0];
  data.forEach((value, i) => {
    apart += (value - ((stand ?? data)[i] as number)) ** 2;
    whole += value ** 2;
  });
  const before = wasSparse ? sparseForm(array) : undefined;
  const [sparse, ...others] = now.constants.map(sparseForm);
  const bytes = now.constants.map((constant, i) => [sparse, ...others][i]?.bytes ?? encode(constant).length);
  return {
    ...{ name, op, weight, shape: dims, elements: sizeOf(dims) },
    before: {
      form: before ? `${array.dtype}, sparse` : array.dtype,
      bytes: before?.bytes ?? encode(array).length,
      nonZeros: countNonZeros(data),
    },
    after: {
      form: `${now.form}${sparse ? ', sparse' : ''}`,
      bytes: bytes.reduce((a, b) => a + b),
      nonZeros: countNonZeros(stand ?? data),
    },
    weightError: relative(apart, whole),
    ...(left !== undefined && { left }),
  };
}

function countNonZeros(data: NumericArray): number {
  let count = 0;
  for (const value of data) if (value !== 0) count++;
  return count;
}

/** As it is kept in float16, with what rounds to zero there. */
function asHalf(array: NDArray): NDArray {
  if (!isFloat(array.dtype)) return array;
  return decode('float16', array.dims, encode(ndarray('float16', array.dims, array.data)));
}
