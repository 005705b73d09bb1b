// A model as plain data becomes weights with their sizes (describe), and nodes of a graph once the batch is known (forward).
// Weights have Keras's names and shapes throughout: a dense kernel is [in, out], that of a convolution [window…, in, out];
// where ONNX's operators want another order, the graph turns them, which costs little next to using them.

import { invalid, readOptions } from '../base/options';
import type { LowerBuilder } from '../ir/opdef';
import { Formula } from '../ops/gradient';
import { registerTrainingOperators } from '../ops/training';
import { Call, formatShape, type LayerDef, Sized, type WeightSpec } from './layer';
import { layerOf } from './registry';
import { penalty } from './regularizers';
import { type Logits, Tensor } from './tensor';
import type { CallSpec, LayerSpec, ModelDescription, ModelSpec, Shape, WeightInfo } from './types';

registerTrainingOperators();

export interface ForwardOptions {
  /** Names of values of the builder, one for each input of the model, batch included. */
  readonly inputs: readonly string[];
  /** The value of a weight, by the weight's name. */
  readonly weights: (name: string) => string;
  readonly training: boolean;
  /** int32[1] or uint32[1], another at each step: what random layers draw from in training. */
  readonly seed?: string;
}

export interface Forward {
  /** In Keras's order of axes. */
  readonly outputs: string[];
  /** For each output that is a softmax (along the last axis) or a sigmoid, what it was made from. */
  readonly logits: (Logits | undefined)[];
  /** Scalars to add to the loss. */
  readonly penalties: string[];
  /** Next values of weights that are no parameters: moving averages. */
  readonly updates: { weight: string; value: string }[];
}

interface Use {
  readonly call: CallSpec;
  readonly spec: LayerSpec;
  readonly def: LayerDef;
  readonly sized: Sized;
  readonly shape: Shape;
}

interface Analysis {
  readonly uses: readonly Use[];
  /** By layer. */
  readonly weights: ReadonlyMap<string, readonly WeightSpec[]>;
  readonly shapes: ReadonlyMap<string, Shape>;
}

/** @throws INVALID_ARGUMENT where layers lack options, do not exist, or do not fit what they are applied to */
export function describe(model: ModelSpec): ModelDescription {
  const { uses, weights, shapes } = analyse(model);
  const infos = model.layers.flatMap((layer) => (weights.get(layer.name) ?? []).map((spec) => infoOf(layer, spec)));
  const counted = new Set<string>();
  const layers = uses.map(({ spec: { name, className }, shape }) => {
    // What is shared is counted where it stands first.
    const own = counted.has(name) ? [] : infos.filter(({ layer }) => layer === name);
    counted.add(name);
    const count = (list: readonly WeightInfo[]) =>
      list.reduce((sum, { dims }) => sum + dims.reduce((a, d) => a * d, 1), 0);
    return {
      name,
      className,
      outputShape: shape,
      parameters: count(own),
      trainableParameters: count(own.filter(({ trainable }) => trainable)),
    };
  });
  const outputs = model.outputs.map((name) => ({ name, shape: shapes.get(name) as Shape }));
  const [batch] = uses.flatMap(({ def, sized }) => (sized.shape[0] === null ? (def.batch?.(sized) ?? []) : []));
  return { weights: infos, layers, outputs, ...(batch !== undefined && { batch }) };
}

/**
 * Adds the model's nodes.
 * @throws INVALID_ARGUMENT as `describe`
 */
export function forward(model: ModelSpec, b: LowerBuilder, options: ForwardOptions): Forward {
  const { uses, weights } = analyse(model);
  const f = new Formula(b, 'float32');
  const values = new Map<string, Tensor>();
  model.inputs.forEach(({ name }, i) => {
    values.set(name, Tensor.plain(b, options.inputs[i] as string));
  });
  const updates: Forward['updates'] = [];
  let salt = 0;
  const draw = () => {
    salt++;
    return {
      seed: options.seed ?? invalid(`The model "${model.name}" has random layers: training it needs a seed.`),
      salt,
    };
  };
  for (const { call, spec, def, sized } of uses) {
    const inputs = call.inputs.map((name) => {
      const value = values.get(name) as Tensor;
      const isFloat = b.type(value.either).dtype === 'float32';
      return isFloat || def.integers ? value : value.like(f.node('Cast', [value.either], { to: 1 }));
    });
    const layer = new Call(
      new Sized(
        spec.name,
        spec.className,
        sized.config,
        inputs.map(({ dims }) => dims),
        layerOf,
      ),
      b,
      inputs,
      (name) => options.weights(`${spec.name}/${name}`),
      options.training,
      spec.trainable ?? true,
      draw,
      (weight, value) => updates.push({ weight: `${spec.name}/${weight}`, value }),
    );
    values.set(call.output, def.call(layer));
  }
  const penalties = model.layers.flatMap(({ name }) =>
    (weights.get(name) ?? []).flatMap((w) =>
      w.regularizer ? [penalty(f, options.weights(`${name}/${w.name}`), w.regularizer)] : [],
    ),
  );
  const outputs = model.outputs.map((name) => values.get(name) as Tensor);
  return {
    outputs: outputs.map((output) => output.plain()),
    logits: outputs.map(({ logits }) => logits && { ...logits, value: logits.value.plain() }),
    penalties,
    updates,
  };
}

function analyse(model: ModelSpec): Analysis {
  const specs = new Map<string, LayerSpec>();
  for (const layer of model.layers) {
    if (specs.has(layer.name)) invalid(`The model "${model.name}" has two layers named "${layer.name}".`);
    specs.set(layer.name, layer);
  }
  const shapes = new Map<string, Shape>();
  const isNew = (name: string) => !shapes.has(name) || invalid(`Two values of the model are named "${name}".`);
  for (const { name, shape } of model.inputs) {
    if (!shape.every((size) => size === null || (Number.isSafeInteger(size) && size > 0))) {
      invalid(`The input "${name}" has the shape ${formatShape(shape)}; expected sizes from 1, or null.`);
    }
    if (isNew(name)) shapes.set(name, [null, ...shape]);
  }
  const weights = new Map<string, readonly WeightSpec[]>();
  const uses: Use[] = [];
  for (const call of model.calls) {
    const spec = specs.get(call.layer) ?? invalid(`The model "${model.name}" has no layer "${call.layer}".`);
    const def = layerOf(spec.className);
    const inputs = call.inputs.map(
      (name) =>
        shapes.get(name) ?? invalid(`Layer "${spec.name}" reads "${name}", which comes from nothing before it.`),
    );
    const config = readOptions(`Layer "${spec.name}" (${spec.className})`, def.options, spec.config);
    const sized = new Sized(spec.name, spec.className, config, inputs, layerOf);
    const [fewest, most] = def.arity ?? [1, 1];
    if (inputs.length < fewest || inputs.length > most) {
      sized.fail(`takes ${fewest === most ? fewest : `${fewest} or more`} inputs`);
    }
    const own = def.weights?.(sized) ?? [];
    const shape = def.outputShape(sized);
    if (shape.some((size) => size !== null && size < 1)) {
      sized.fail(`would give ${formatShape(shape)}, which is nothing: it needs a larger input`);
    }
    const before = weights.get(spec.name);
    if (before && JSON.stringify(before) !== JSON.stringify(own)) {
      sized.fail(`is shared, and its weights fit its first input only: it needs one of the same shape`);
    }
    weights.set(spec.name, own);
    if (isNew(call.output)) shapes.set(call.output, shape);
    uses.push({ call, spec, def, sized, shape });
  }
  for (const name of model.outputs) {
    if (!shapes.has(name)) invalid(`The output "${name}" of the model "${model.name}" comes from nothing in it.`);
  }
  return { uses, weights, shapes };
}

function infoOf(layer: LayerSpec, { name, dims, initializer, trainable }: WeightSpec): WeightInfo {
  return {
    name: `${layer.name}/${name}`,
    layer: layer.name,
    dims,
    initializer,
    trainable: (layer.trainable ?? true) && (trainable ?? true),
    learningRateMultiplier: layer.learningRateMultiplier ?? 1,
  };
}
