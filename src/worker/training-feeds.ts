// What a batch must be like, and how it comes to the plan.

import { toDevice } from '../base/device-form';
import { LeptonError } from '../base/errors';
import { decode, encode, ndarray } from '../base/ndarray';
import { type Dims, formatDims, sizeOf } from '../base/shape';
import type { Feed } from '../gpu/runner';
import type { CompileSpec, LayerSpec, ModelDescription, ModelSpec } from '../nn/types';
import type { Plan } from '../plan/plan';
import type { WireTensor } from './protocol';
import type { WireState } from './training-protocol';

/**
 * @throws INVALID_INPUT where inputs are missing, of another type or shape, or of different batches, or name rows that an
 *   embedding has not
 */
export function checkBatch(spec: ModelSpec, given: readonly WireTensor[]): void {
  const { inputs } = spec;
  if (given.length !== inputs.length) {
    throw invalid(`The model has ${inputs.length} inputs, but x has ${given.length}.`, {});
  }
  inputs.forEach(({ name, shape, dtype }, i) => {
    const { type, dims } = given[i] as WireTensor;
    const fits = dims.length === shape.length + 1 && shape.every((size, k) => size === null || size === dims[k + 1]);
    if (fits && type === dtype) return;
    const wanted = `${dtype}[${['batch', ...shape.map((size) => size ?? 'any')].join(', ')}]`;
    throw invalid(`Input "${name}" must be ${wanted}, but x is ${type}${formatDims(dims)}.`, {
      input: name,
      expected: wanted,
      got: `${type}${formatDims(dims)}`,
    });
  });
  const [first] = given as readonly [WireTensor];
  if (first.dims[0] === 0) throw invalid('The batch is empty: it needs at least one sample.', {});
  if (given.some(({ dims }) => dims[0] !== first.dims[0])) {
    throw invalid(`The inputs have different numbers of samples: ${given.map(({ dims }) => dims[0]).join(', ')}.`, {});
  }
  checkEmbedded(spec, given);
}

/** What is looked up by number: on the GPU nobody would notice a row that is not there. */
function checkEmbedded({ inputs, layers, calls }: ModelSpec, given: readonly WireTensor[]): void {
  for (const { layer, inputs: read } of calls) {
    const spec = layers.find(({ name }) => name === layer);
    const i = inputs.findIndex(({ name }) => name === read[0]);
    const rows = spec && rowsLookedUp(spec);
    if (rows === undefined || i < 0) continue;
    const { type, dims, bytes } = given[i] as WireTensor;
    const indices = decode(type, dims, bytes).data;
    const wrong = indices.findIndex((index) => !(index >= 0 && index < rows));
    if (wrong < 0) continue;
    throw invalid(
      `Input "${inputs[i]?.name}" has ${indices[wrong]} at element ${wrong}, but the layer "${layer}" has ${rows} rows: ` +
        `indices are from 0 to ${rows - 1}.`,
      { input: inputs[i]?.name, element: wrong, index: indices[wrong], rows },
    );
  }
}

/** Of a layer whose inputs are numbers of rows. */
function rowsLookedUp({ className, config }: LayerSpec): number | undefined {
  if (className === 'Embedding') return Number(config.inputDim);
  if (className !== 'SparseDense') return undefined;
  const { shape } = config.matrix as { readonly shape: readonly number[] };
  return shape[0];
}

/** @throws INVALID_INPUT where targets are missing, do not go with the batch, or name a class that the model has not */
export function checkTargets(
  { losses }: CompileSpec,
  { outputs }: ModelDescription,
  inputs: readonly WireTensor[],
  targets: readonly WireTensor[],
): void {
  if (targets.length !== outputs.length) {
    throw invalid(`The model has ${outputs.length} outputs, but y has ${targets.length}.`, {});
  }
  const batch = inputs[0]?.dims[0];
  targets.forEach((target, i) => {
    const what = targets.length > 1 ? `y[${i}]` : 'y';
    if (target.dims[0] !== batch) throw invalid(`${what} has ${target.dims[0]} samples, but x has ${batch}.`, {});
    const classes = outputs[i]?.shape.at(-1);
    if (losses[i]?.name !== 'sparseCategoricalCrossentropy' || !classes) return;
    const labels = decode(target.type, target.dims, target.bytes).data;
    const wrong = labels.findIndex((label) => !(label >= 0 && label < classes && Number.isInteger(label)));
    if (wrong < 0) return;
    throw invalid(
      `${what} has the label ${labels[wrong]} at element ${wrong}, but the output "${outputs[i]?.name}" has ${classes} ` +
        `classes: labels are whole numbers from 0 to ${classes - 1}.`,
      { element: wrong, label: labels[wrong], classes },
    );
  });
}

/** @throws INVALID_INPUT where there is not one number for each sample */
export function checkSampleWeight(weight: WireTensor | undefined, batch: number): void {
  if (!weight || (weight.type === 'float32' && sizeOf(weight.dims) === batch)) return;
  const got = `${weight.type}${formatDims(weight.dims)}`;
  throw invalid(`sampleWeight must be float32[${batch}], one number for each sample, but is ${got}.`, { got });
}

function invalid(message: string, details: Readonly<Record<string, unknown>>): LeptonError {
  return new LeptonError('INVALID_INPUT', message, { details });
}

export function planFeeds({ inputs }: Plan, feeds: ReadonlyMap<string, WireTensor>): Map<string, Feed> {
  return new Map(
    inputs.map(({ name, device }) => {
      const { type, bytes } = feeds.get(name) as WireTensor;
      return [name, { kind: 'bytes', bytes: toDevice(type, device, bytes, name) }];
    }),
  );
}

export function named(names: readonly string[], tensors: readonly WireTensor[]): [string, WireTensor][] {
  return names.map((name, i) => [name, tensors[i] as WireTensor]);
}

export function floats(dims: Dims, values: readonly number[]): WireTensor {
  return { type: 'float32', dims, bytes: encode(ndarray('float32', dims, values)) };
}

export function int32(dims: Dims, values: readonly number[]): WireTensor {
  return { type: 'int32', dims, bytes: encode(ndarray('int32', dims, values)) };
}

export function bytesOf(values: Float32Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
}

/** @throws INVALID_INPUT where a name is unknown, or type or shape are others */
export function checkState(
  state: WireState,
  known: readonly { readonly name: string; readonly dtype: string; readonly dims: readonly number[] }[],
): void {
  const specs = new Map(known.map((spec) => [spec.name, spec]));
  for (const [name, { type, dims }] of Object.entries(state)) {
    const spec = specs.get(name);
    const should = spec && `${spec.dtype}${formatDims(spec.dims)}`;
    if (should === type + formatDims(dims)) continue;
    throw new LeptonError(
      'INVALID_INPUT',
      should
        ? `The weight "${name}" is ${should}, but was given ${type}${formatDims(dims)}.`
        : `The model has no weight "${name}"; its weights are ${[...specs.keys()].join(', ')}.`,
      { details: { name } },
    );
  }
}
