// Models made of layers: sequential ones, and graphs of what layers are applied to.

import type { CallSpec, ModelSpec } from '../../nn/types';
import type { WireState } from '../../worker/training-protocol';
import { type InputOptions, inputSpecOf, invalid, Layer, Names, SymbolicTensor, snakeCase } from './layer';
import { Trainable } from './trainable';

/** What a value is that a layer has made. */
type Use = Exclude<SymbolicTensor['made'], InputOptions>;

interface Ends {
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
}

export class Network extends Trainable {
  protected ends: Ends;

  constructor(
    ends: Ends,
    readonly name: string,
  ) {
    super();
    this.ends = ends;
  }

  get inputs(): readonly SymbolicTensor[] {
    return this.ends.inputs;
  }

  get outputs(): readonly SymbolicTensor[] {
    return this.ends.outputs;
  }

  /** @internal A model that was saved. */
  static fromSpec({ name, inputs, layers, calls, outputs }: ModelSpec): Network {
    const values = new Map(inputs.map((spec) => [spec.name, new SymbolicTensor(spec)]));
    const made = new Map(
      layers.map(({ name, className, config, trainable = true, learningRateMultiplier = 1 }) => [
        name,
        new Layer(className, { ...config, name, trainable, learningRateMultiplier }),
      ]),
    );
    const of = (names: readonly string[]) => names.map((name) => values.get(name) as SymbolicTensor);
    for (const call of calls) values.set(call.output, (made.get(call.layer) as Layer).apply(of(call.inputs)));
    return new Network({ inputs: of(inputs.map((spec) => spec.name)), outputs: of(outputs) }, name);
  }

  /** In the order in which they are used. */
  get layers(): readonly Layer[] {
    return trace(this.ends).layers;
  }

  /** @throws INVALID_ARGUMENT where there is none of that name */
  getLayer(name: string): Layer {
    // The names that layers go without are given with the spec.
    const names = this.spec.layers.map((layer) => layer.name);
    const found = this.layers[names.indexOf(name)];
    if (found) return found;
    throw invalid(`The model has no layer "${name}"; it has ${names.join(', ')}`);
  }

  /** @internal */
  get givenWeights(): WireState {
    const { layers } = this;
    const given = this.spec.layers.flatMap(({ name }, i) =>
      Object.entries(layers[i]?.weights ?? {}).map(([weight, tensor]) => [`${name}/${weight}`, tensor] as const),
    );
    return Object.fromEntries(given);
  }

  /** The model as plain data. @throws INVALID_ARGUMENT where the outputs do not follow from the inputs */
  get spec(): ModelSpec {
    const { inputs, outputs } = this.ends;
    const { layers, values } = trace(this.ends);
    const sources = inputs.map(({ made }) => made as InputOptions);
    const names = new Names();
    for (const { name } of [...sources, ...layers]) if (name !== undefined) names.take(name);
    const inputNames = sources.map(({ name }) => name ?? names.fresh('input'));
    const layerName = new Map(layers.map((layer) => [layer, layer.name ?? names.fresh(snakeCase(layer.className))]));
    const valueName = new Map(inputs.map((value, i) => [value, inputNames[i] as string]));
    const uses = new Map<string, number>();
    const calls = values.map((value): CallSpec => {
      const { layer, inputs } = value.made as Use;
      const name = layerName.get(layer) as string;
      const use = uses.get(name) ?? 0;
      uses.set(name, use + 1);
      const output = use === 0 ? name : `${name}:${use}`;
      valueName.set(value, output);
      return { layer: name, inputs: inputs.map((one) => valueName.get(one) as string), output };
    });
    return {
      name: this.name,
      inputs: sources.map((source, i) => inputSpecOf(source, inputNames[i] as string)),
      layers: [...layerName].map(([layer, name]) => layer.specAs(name)),
      calls,
      outputs: outputs.map((value) => valueName.get(value) as string),
    };
  }
}

/** What leads from the inputs to the outputs, in an order in which each comes after what it reads. */
function trace({ inputs, outputs }: Ends): { layers: Layer[]; values: SymbolicTensor[] } {
  if (inputs.length === 0 || outputs.length === 0) throw invalid('A model needs at least one input and one layer');
  if (!inputs.every((value) => value instanceof SymbolicTensor && 'shape' in value.made)) {
    throw invalid('The inputs of a model are what input({ shape }) gives');
  }
  const seen = new Set<SymbolicTensor>(inputs);
  const values: SymbolicTensor[] = [];
  // Not by recursion: a model may be deeper than the stack.
  const ahead = [...outputs].reverse();
  for (let value = ahead.at(-1); value !== undefined; value = ahead.at(-1)) {
    if (!(value instanceof SymbolicTensor)) throw invalid('The outputs of a model are what layers give');
    if (seen.has(value)) {
      ahead.pop();
      continue;
    }
    if ('shape' in value.made) {
      throw invalid(`An output follows from the input "${value.made.name ?? ''}", which is none of the model's inputs`);
    }
    const missing = value.made.inputs.filter((one) => !seen.has(one));
    if (missing.length > 0) ahead.push(...missing.reverse());
    else {
      seen.add(value);
      values.push(value);
    }
  }
  return { layers: [...new Set(values.map(({ made }) => (made as Use).layer))], values };
}

/** Layers, one after another. */
export class Sequential extends Network {
  constructor(layers: readonly (Layer | SymbolicTensor)[], name: string) {
    super({ inputs: [], outputs: [] }, name);
    for (const layer of layers) this.add(layer);
  }

  /** Puts a layer behind the last; an input() may come first. */
  add(layer: Layer | SymbolicTensor): this {
    const { inputs, outputs } = this.ends;
    if (layer instanceof SymbolicTensor) {
      if (inputs.length > 0 || !('shape' in layer.made)) throw invalid('An input() stands before all layers, and once');
      this.ends = { inputs: [layer], outputs: [layer] };
      return this;
    }
    if (!(layer instanceof Layer)) throw invalid('add() takes a layer, as layers.dense({ units: 10 })');
    const { inputShape, className } = layer;
    if (inputs.length === 0) {
      if (!inputShape) throw invalid('The first layer needs an inputShape, or an input({ shape }) before it');
      this.add(new SymbolicTensor({ shape: inputShape, dtype: className === 'Embedding' ? 'int32' : 'float32' }));
      return this.add(layer);
    }
    this.ends = { inputs, outputs: [layer.apply(outputs)] };
    return this;
  }
}

/**
 * A model of layers one after another. The first has an `inputShape`, or an `input({ shape })` before it.
 * @throws INVALID_ARGUMENT
 */
export function sequential(layers: readonly (Layer | SymbolicTensor)[] = [], name = 'sequential'): Sequential {
  return new Sequential(layers, name);
}

export interface ModelOptions {
  inputs: SymbolicTensor | readonly SymbolicTensor[];
  outputs: SymbolicTensor | readonly SymbolicTensor[];
  /** Default 'model'. */
  name?: string;
}

/**
 * A model of all that leads from `inputs` to `outputs`.
 * @throws INVALID_ARGUMENT where an output does not follow from the inputs, or two layers have one name
 */
export function model({ inputs, outputs, name = 'model' }: ModelOptions): Network {
  const made = new Network(
    { inputs: [inputs].flat() as SymbolicTensor[], outputs: [outputs].flat() as SymbolicTensor[] },
    name,
  );
  // Mistakes show here rather than when the model is used.
  void made.spec;
  return made;
}
