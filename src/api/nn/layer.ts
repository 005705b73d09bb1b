// Layers as callers hold them: a name, options, and what they are applied to. What the options mean, and whether shapes fit,
// the worker finds out, which has the layers themselves.

import { LeptonError } from '../../base/errors';
import type { Config, InputSpec, Json, LayerSpec } from '../../nn/types';
import type { WireState } from '../../worker/training-protocol';
import { SparseMatrix } from './sparse-matrix';

/** What every layer can be given. */
export interface LayerOptions {
  /** Names its weights: 'name/kernel'. Default: of the class, numbered within the model. */
  name?: string;
  /** Default true. */
  trainable?: boolean;
  /** Factor on the learning rate for this layer's weights; default 1. */
  learningRateMultiplier?: number;
  /** Of a sample; for the first layer of a `sequential` model. */
  inputShape?: readonly (number | null)[];
}

export interface InputOptions {
  /** Of a sample, the batch left out; null for a size that each batch decides. */
  shape: readonly (number | null)[];
  /** Default 'float32'. */
  dtype?: 'float32' | 'int32';
  /** What feeds are named by; default 'input', numbered within the model. */
  name?: string;
}

/** A value between layers: what a layer is applied to, and what that gives. */
export class SymbolicTensor {
  /** @internal */
  constructor(readonly made: InputOptions | { readonly layer: Layer; readonly inputs: readonly SymbolicTensor[] }) {}
}

/** An input of a model. */
export function input(options: InputOptions): SymbolicTensor {
  if (!Array.isArray(options?.shape)) throw invalid('input() needs a shape, as { shape: [28, 28, 1] }');
  return new SymbolicTensor(options);
}

export class Layer {
  name: string | undefined;
  /** False keeps the weights as they are. */
  trainable: boolean;
  learningRateMultiplier: number;
  readonly inputShape: readonly (number | null)[] | undefined;
  /** @internal Its model has its weights: what the layer does is settled. */
  isSettled = false;
  /** @internal What its weights begin as, by the layer's own names, where that comes from a file. */
  weights: WireState | undefined;
  #config: Config;
  #output: SymbolicTensor | undefined;

  constructor(
    /** As in Keras. */
    readonly className: string,
    { name, trainable = true, learningRateMultiplier = 1, inputShape, ...config }: LayerOptions & object = {},
  ) {
    this.name = name;
    this.trainable = trainable;
    this.learningRateMultiplier = learningRateMultiplier;
    this.inputShape = inputShape;
    this.#config = plain(className, config) as Config;
  }

  /** Its options as plain data. */
  get config(): Config {
    return this.#config;
  }

  protected configure(config: Config): void {
    this.#config = { ...this.#config, ...config };
  }

  /** Each use has the layer's same weights. @returns what the layer makes of its input or inputs */
  apply(inputs: SymbolicTensor | readonly SymbolicTensor[]): SymbolicTensor {
    const list = [inputs].flat() as SymbolicTensor[];
    if (list.length === 0 || !list.every((value) => value instanceof SymbolicTensor)) {
      throw invalid(`${this.className}.apply() takes what input() or another layer's apply() gave`);
    }
    const output = new SymbolicTensor({ layer: this, inputs: list });
    this.#output ??= output;
    return output;
  }

  /** What the layer's first use gave. */
  get output(): SymbolicTensor {
    if (this.#output) return this.#output;
    throw invalid(`The layer ${this.name ?? this.className} is not applied to anything yet`);
  }

  /** @internal */
  specAs(name: string): LayerSpec {
    const { className, config, trainable, learningRateMultiplier } = this;
    return { name, className, config, trainable, learningRateMultiplier };
  }
}

/** @internal Names of inputs and layers, each once: those that are given, and numbered ones for the rest. */
export class Names {
  private readonly taken = new Set<string>();
  /** By stem, a number from which on names may be free. */
  private readonly counts = new Map<string, number>();

  take(name: string): string {
    if (typeof name !== 'string' || !/^[^/:]+$/.test(name)) {
      throw invalid(`"${name}" is no name for a layer or input: it must be text without "/" and ":"`);
    }
    if (this.taken.has(name)) throw invalid(`Two layers or inputs of the model are named "${name}"`);
    this.taken.add(name);
    return name;
  }

  fresh(stem: string): string {
    let count = this.counts.get(stem) ?? 0;
    const name = () => (count === 0 ? stem : `${stem}_${count}`);
    while (this.taken.has(name())) count++;
    this.counts.set(stem, count);
    return this.take(name());
  }
}

/** @internal 'MaxPooling2D' → 'max_pooling2d' */
export function snakeCase(className: string): string {
  return className.replace(/([a-z])(?=[A-Z][a-z])/g, '$1_').toLowerCase();
}

/** @internal */
export function inputSpecOf({ shape, dtype = 'float32' }: InputOptions, name: string): InputSpec {
  return { name, shape, dtype };
}

export function invalid(what: string): LeptonError {
  return new LeptonError('INVALID_ARGUMENT', `${what}.`);
}

/** Options as plain data: sparse matrices as text, layers as what they are made from, `{ name, … }` as a name with options. */
function plain(className: string, value: unknown): Json {
  if (value instanceof SparseMatrix) return value.text;
  if (value instanceof Layer) return { className: value.className, config: value.config };
  if (Array.isArray(value)) return value.map((one) => plain(className, one));
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, one]) => one !== undefined);
    const all = Object.fromEntries(entries.map(([key, one]) => [key, plain(className, one)]));
    const { name, config, ...rest } = all;
    return typeof name === 'string' ? { name, config: config ?? rest } : all;
  }
  if (['boolean', 'number', 'string'].includes(typeof value) || value === null) return value as Json;
  throw invalid(`A ${className} layer has an option that is a ${typeof value}; options are plain data`);
}
