// A model smaller: weights of products and convolutions become zero, or integers, or halves, and the report says what that
// saves and costs. In: a graph with its constants' files; out: standard ONNX, which this and other runtimes read.

import type { ByteSource } from '../base/bytes';
import { LeptonError, throwIfAborted } from '../base/errors';
import { type NDArray, ndarray } from '../base/ndarray';
import type { Graph, Value } from '../ir/graph';
import { isFloatAttribute } from '../ops/attribute-kinds';
import { checkSparse } from '../read/patterns';
import { writeOnnx } from '../write/onnx';
import { sparseForm } from '../write/sparse';
import { calibrate, type Runner } from './calibrate';
import { arrayOf, foldMovement, loadConstants, type StoredConstants } from './constants';
import { asHalf, halfRange, toHalf } from './half';
import { layerReport, totalsOf } from './layer-report';
import { findLayers, isApart, type Layer, movementTo } from './layers';
import { type CheckedOptions, checkOptions } from './options';
import { prune } from './prune';
import { fromInt4, fromInt8, isAnyTooSmall, type ScaleType, toInt4, toInt8 } from './quantize';
import { type Encoding, rewriteLayers } from './rewrite';
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
  const original = foldMovement(
    request.graph,
    stored,
    movementTo(request.graph, () => true),
  );
  const wasSparse = new Set(request.graph.nodes.flatMap((n) => (n.op === 'lepton.SparseTensor' ? n.outputs : [])));
  const weights = new Map<Layer, Float32Array>();
  const isHalf = options.quantize?.type === 'float16';
  const found = findLayers(original, stored, options.skip).map((layer): Layer => {
    const value = original.values.get(layer.weight);
    if (isHalf && value?.constant) checkHalf(layer, arrayOf(value, stored));
    if (layer.left !== undefined) return layer;
    const floats = floatsOf(value as Value, stored);
    if (!floats.every(Number.isFinite)) return { ...layer, left: 'not all of its weights are finite' };
    weights.set(layer, floats);
    return layer;
  });
  if (found.length > 0) checkNames(found, options);
  checkFitness(found, options);
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
  const notes = new Map<Layer, Pick<LayerReport, 'left' | 'note'>>();
  for (const [i, layer] of layers.entries()) {
    const own = pruned.get(layer) ?? (weights.get(layer) as Float32Array);
    const { encoding, stand, unfit } = encodingOf(layer, own, options);
    const isPruned = pruned.has(layer);
    if (encoding.kind !== 'float' || isPruned) encodings.set(layer, encoding);
    if (unfit !== undefined) notes.set(layer, isPruned ? { note: `not quantised: ${unfit}` } : { left: unfit });
    else if (!isPruned && !options.quantize) notes.set(layer, { left: 'no share was given for it' });
    after.set(layer, stand);
    await turn('quantize', i + 1, layers.length);
  }
  const changed = [...encodings.keys()];
  const changedWeights = new Set(changed.map(({ weight }) => weight));
  const toChanged = movementTo(request.graph, (weight) => changedWeights.has(weight));
  // Weights that stay keep the form that the file has for them, unless all are converted, or one constant is moved to several
  // of which some stay.
  const thrifty = isHalf ? original : foldMovement(request.graph, stored, toChanged);
  const base = changed.every((layer) => isApart(layer, thrifty)) ? thrifty : original;
  const { graph: rewritten, kept } = rewriteLayers(base, encodings);
  const compressed = isHalf ? toHalf(rewritten, stored) : rewritten;
  const write = (graph: Graph) => writeOnnx(graph, { isFloat: isFloatAttribute, storedBytes: stored, sparse: true });
  await turn('write', 0, 1);
  const bytes = write(compressed);
  const reports = found.map((layer) => ({
    ...layerReport({
      ...{ layer, stored, wasSparse, isHalf },
      value: original.values.get(layer.weight),
      ...{ kept: kept.get(layer.weight), stand: after.get(layer) },
    }),
    ...notes.get(layer),
  }));
  await turn('write', 1, 1);
  const report: CompressReport = {
    bytes: { before: request.bytes, after: bytes.length },
    weights: totalsOf(reports),
    layers: reports,
  };
  if (!calibration) return { bytes, report };
  const outputOf = (layer: Layer) => layer.nodes[0]?.outputs[0] as string;
  const compared = await calibrate({
    ...{ original, compressed, write, signal, onProgress, ...calibration },
    values: layers.map(outputOf),
  });
  const errors = new Map(layers.map((layer) => [layer.weight, compared.errors.get(outputOf(layer))]));
  const withErrors = reports.map((layer) => {
    const outputError = errors.get(layer.weight);
    if (outputError === undefined) return layer;
    if (typeof outputError === 'number') return { ...layer, outputError };
    const { nonFinite } = outputError;
    const problem = `gives ${nonFinite} ${nonFinite === 1 ? 'number that is' : 'numbers that are'} not finite`;
    return { ...layer, note: layer.note === undefined ? problem : `${layer.note}; ${problem}` };
  });
  return { bytes, report: { ...report, layers: withErrors, calibration: compared.report } };
}

function checkNames(layers: readonly Layer[], { prune, skip }: CheckedOptions): void {
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

/** Constants of other kinds may be limits and masks, which the largest half does as well for; a weight is its number. */
function checkHalf({ name, weight }: Layer, { dtype, data }: NDArray): void {
  if (dtype !== 'float32') return;
  const large = data.find((w) => Number.isFinite(w) && Math.abs(w) > halfRange.most);
  if (large === undefined) return;
  throw new LeptonError(
    'UNSUPPORTED_MODEL',
    `compress(): weights "${weight}" of layer "${name}" have the number ${large}, beyond the ${halfRange.most} of float16. Quantise to int8, or scale them.`,
    { details: { layer: name, weight, value: large } },
  );
}

/** @throws UNSUPPORTED_MODEL saying why every layer is left, which in float16 does not matter: the whole model is in it */
function checkFitness(layers: readonly Layer[], { quantize }: CheckedOptions): void {
  const isAnyFit = layers.some(({ left }) => left === undefined);
  if (isAnyFit || (layers.length > 0 && quantize?.type === 'float16')) return;
  const reasons = [...new Set(layers.map(({ left }) => left))].map((left) => {
    const own = layers.filter((layer) => layer.left === left);
    const shown = own.slice(0, 3).map(({ name }) => `"${name}"`);
    return `${shown.join(', ')}${own.length > 3 ? ` and ${own.length - 3} more` : ''}: ${left}`;
  });
  const problem =
    reasons.length === 0
      ? 'The model has no MatMul, Gemm or Conv with weights'
      : `No layer of the model can be compressed (${reasons.join('; ')})`;
  throw new LeptonError('UNSUPPORTED_MODEL', `${problem}: there is nothing to compress.`, {
    details: { layers: layers.map(({ name, weight, left }) => ({ name, weight, left })) },
  });
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
): { readonly encoding: Encoding; readonly stand: Float32Array; readonly unfit?: string } {
  const plain = { encoding: { kind: 'float', weights }, stand: weights } as const;
  if (quantize?.type === 'float16') {
    const { data } = asHalf(ndarray('float32', [weights.length], weights));
    return { ...plain, stand: data as Float32Array };
  }
  if (!quantize) return plain;
  const integers = quantized(layer, weights, quantize);
  return typeof integers === 'string' ? { ...plain, unfit: integers } : integers;
}

/** In the form asked for, or why not. */
function quantized(layer: Layer, weights: Float32Array, quantize: NonNullable<CheckedOptions['quantize']>) {
  const { view } = layer;
  const dtype = layer.dtype as ScaleType;
  const { type, blockSize, symmetric } = quantize;
  const width = dtype === 'float16' ? 2 : 4;
  // Scales, names and a node more take some hundred bytes: weights of a few elements would grow.
  const overhead = 200;
  const tooSmall = `a scale of its weights is too small for ${dtype}`;
  const before = sparseForm(ndarray(dtype, layer.dims, weights))?.bytes ?? weights.length * width;
  if (type === 'int4') {
    const int4 = toInt4(view, weights, blockSize, symmetric, dtype);
    if (isAnyTooSmall(int4.scales, dtype)) return tooSmall;
    const size = weights.length / 2 + int4.scales.length * (width + (symmetric ? 0 : 0.5)) + overhead;
    if (size >= before) return `as ${type} it would take more bytes`;
    return { encoding: { kind: 'int4', int4, blockSize, symmetric }, stand: fromInt4(view, int4, blockSize) } as const;
  }
  const int8 = toInt8(view, weights, dtype);
  if (isAnyTooSmall(int8.scales, dtype)) return tooSmall;
  const codes = ndarray('int8', layer.dims, int8.codes);
  const size = (sparseForm(codes)?.bytes ?? weights.length) + view.rows * width + overhead;
  if (size >= before) return `as ${type} it would take more bytes`;
  const dynamic = type === 'dynamic-int8';
  return { encoding: { kind: 'int8', int8, dynamic }, stand: fromInt8(view, int8) } as const;
}
