// SimpleRNN, LSTM and GRU, and Bidirectional around one of them, on ONNX's operators. Weights have Keras's shapes: kernel
// [features, gates · units], recurrentKernel [units, gates · units], bias [gates · units] (a GRU that resets after the
// product: [2, 3 · units]); the gates stand in Keras's order, an LSTM's as input, forget, cell, output.
// LSTM: https://doi.org/10.1162/neco.1997.9.8.1735; GRU: https://arxiv.org/abs/1406.1078

import { int64s, ndarray } from '../../base/ndarray';
import {
  choice,
  flag,
  invalid,
  type Option,
  type Options,
  type OptionsOf,
  readOptions,
  whole,
} from '../../base/options';
import { type Call, defineLayer, type Sized, type WeightSpec } from '../layer';
import { permuted, reshaped, Tensor } from '../tensor';
import type { Config, Shape } from '../types';
import { initializer, kernelOptions, regularizer } from '../weights';

const functions = { tanh: 'Tanh', relu: 'Relu', sigmoid: 'Sigmoid' } as const;
const activationNames = Object.keys(functions) as (keyof typeof functions)[];
const activation = (fallback: keyof typeof functions) => choice(activationNames, fallback);

const common = {
  units: whole(1),
  activation: activation('tanh'),
  returnSequences: flag(false),
  goBackwards: flag(false),
  ...kernelOptions,
  recurrentInitializer: initializer('orthogonal'),
  recurrentRegularizer: regularizer,
};
const gated = { ...common, recurrentActivation: activation('sigmoid') };
const lstmOptions = { ...gated, unitForgetBias: flag(true) };
const gruOptions = { ...gated, resetAfter: flag(true) };

type Common = OptionsOf<typeof common>;
/** The options of every cell; which of them there are depends on the cell. */
type Any = Common &
  Partial<Pick<OptionsOf<typeof lstmOptions>, 'recurrentActivation' | 'unitForgetBias'>> & {
    readonly resetAfter?: boolean;
  };

interface Cell {
  readonly op: 'RNN' | 'LSTM' | 'GRU';
  readonly options: Options;
  /** ONNX's gates, each by its place in Keras's order. */
  readonly gates: readonly number[];
}

const cells: Readonly<Record<string, Cell>> = {
  SimpleRNN: { op: 'RNN', options: common, gates: [0] },
  LSTM: { op: 'LSTM', options: lstmOptions, gates: [0, 3, 1, 2] },
  GRU: { op: 'GRU', options: gruOptions, gates: [0, 1, 2] },
};

/** @param prefix of the weights' names */
function weightsOf(layer: Sized, { op, gates }: Cell, config: Any, prefix = ''): WeightSpec[] {
  layer.requireRank(3, '[batch, steps, features]');
  const columns = gates.length * config.units;
  const unitForget = op === 'LSTM' && config.unitForgetBias && config.biasInitializer.name === 'zeros';
  const all: (WeightSpec | false)[] = [
    {
      name: 'kernel',
      dims: [layer.size(-1), columns],
      initializer: config.kernelInitializer,
      regularizer: config.kernelRegularizer,
    },
    {
      name: 'recurrentKernel',
      dims: [config.units, columns],
      initializer: config.recurrentInitializer,
      regularizer: config.recurrentRegularizer,
    },
    config.useBias && {
      name: 'bias',
      dims: op === 'GRU' && config.resetAfter ? [2, columns] : [columns],
      initializer: unitForget ? { name: 'unitForget' } : config.biasInitializer,
      regularizer: config.biasRegularizer,
    },
  ];
  return all.filter((w) => w !== false).map((w) => ({ ...w, name: prefix + w.name }));
}

function shapeOf(shape: Shape, config: Any, directions: number): Shape {
  const [batch, steps] = shape as [number | null, number | null];
  const units = config.units * directions;
  return config.returnSequences ? [batch, steps, units] : [batch, units];
}

/** The gates of a weight in ONNX's order, each `units` rows of the first axis. */
function ordered({ b, f }: Call, { gates }: Cell, weight: string): string {
  if (gates.every((gate, i) => gate === i)) return weight;
  const rows = (b.type(weight).dims[0] as number) / gates.length;
  const parts = b.add('Split', [weight, b.constant(int64s(gates.map(() => rows)))], { axis: 0 }, gates.length);
  return f.node(
    'Concat',
    gates.map((gate) => parts[gate] as string),
    { axis: 0 },
  );
}

/**
 * Adds the operator.
 * @param prefixes of the weights' names, one a direction
 * @returns its results, steps first: [steps, directions, batch, units], and the last state [directions, batch, units]
 */
function recur(layer: Call, cell: Cell, config: Any, direction: string, prefixes: readonly string[]): [string, string] {
  const { b, f, input } = layer;
  const { op, gates } = cell;
  const rows = gates.length * config.units;
  const joined = (of: (prefix: string) => string): string => {
    const parts = prefixes.map((prefix) => {
      const part = of(prefix);
      return reshaped(b, part, [1, ...b.type(part).dims]);
    });
    return parts.length === 1 ? (parts[0] as string) : f.node('Concat', parts, { axis: 0 });
  };
  const kernel = (name: string) =>
    joined((prefix) => ordered(layer, cell, permuted(b, layer.weight(prefix + name), [1, 0])));
  // Keras has one bias for both products, where ONNX has two; but for a GRU that resets after the second.
  const none = b.constant(ndarray('float32', [rows]));
  const bias = (prefix: string): string => {
    const weight = layer.weight(`${prefix}bias`);
    if (b.type(weight).dims.length === 2) return reshaped(b, weight, [2 * rows]);
    return f.node('Concat', [ordered(layer, cell, weight), none], { axis: 0 });
  };
  const steps = permuted(b, input.plain(), [1, 0, 2]);
  const inner = functions[config.activation];
  const gate = functions[config.recurrentActivation ?? 'sigmoid'];
  const activations = op === 'RNN' ? [inner] : op === 'GRU' ? [gate, inner] : [gate, inner, inner];
  const [y, last] = b.add(
    op,
    [steps, kernel('kernel'), kernel('recurrentKernel'), ...(config.useBias ? [joined(bias)] : [])],
    {
      hidden_size: config.units,
      direction,
      activations: prefixes.flatMap(() => activations),
      ...(op === 'GRU' && { linear_before_reset: Number(config.resetAfter) }),
    },
    config.returnSequences ? 1 : 2,
  ) as [string, string];
  return [y, last];
}

function recurrent(className: string) {
  const cell = cells[className] as Cell;
  return defineLayer({
    className,
    options: cell.options,
    weights: (layer: Sized) => weightsOf(layer, cell, layer.config as unknown as Any),
    outputShape: (layer: Sized) => shapeOf(layer.shape, layer.config as unknown as Any, 1),
    call(layer: Call) {
      const { b, f } = layer;
      const config = layer.config as unknown as Any;
      const [y, last] = recur(layer, cell, config, config.goBackwards ? 'reverse' : 'forward', ['']);
      if (!config.returnSequences) return Tensor.plain(b, reshaped(b, last, b.type(last).dims.slice(1)));
      const [steps, , batch, units] = b.type(y).dims as [number, number, number, number];
      const flat = reshaped(b, y, [steps, batch, units]);
      // ONNX leaves the steps in their order; Keras gives them in the one they were taken in.
      const list = (value: number) => b.constant(int64s([value]));
      const taken = config.goBackwards ? f.node('Slice', [flat, list(-1), list(-(2 ** 31)), list(0), list(-1)]) : flat;
      return Tensor.plain(b, permuted(b, taken, [1, 0, 2]));
    },
  });
}

interface Inner {
  readonly cell: Cell;
  readonly config: Any;
}

const inner: Option<Inner> = (value, fail) => {
  const { className, config } = (value ?? {}) as { className?: string; config?: Config };
  const cell =
    (Object.hasOwn(cells, className ?? '') && cells[className as string]) || fail('a SimpleRNN, LSTM or GRU');
  const read = readOptions(`The ${className} of a Bidirectional layer`, cell.options, config) as unknown as Any;
  if (read.goBackwards)
    invalid(`The ${className} of a Bidirectional layer cannot have goBackwards: it goes both ways.`);
  return { cell, config: read };
};

const bidirectionalOptions = { layer: inner, mergeMode: choice(['concat', 'sum', 'mul', 'ave'], 'concat') };
const directions = ['forward/', 'backward/'];

const bidirectional = defineLayer({
  className: 'Bidirectional',
  options: bidirectionalOptions,
  weights(layer: Sized<typeof bidirectionalOptions>) {
    const { cell, config } = layer.config.layer;
    return directions.flatMap((prefix) => weightsOf(layer as unknown as Sized, cell, config, prefix));
  },
  outputShape: ({ shape, config: { layer, mergeMode } }) =>
    shapeOf(shape, layer.config, mergeMode === 'concat' ? 2 : 1),
  call(layer: Call<typeof bidirectionalOptions>) {
    const { b, f, config } = layer;
    const { cell, config: own } = config.layer;
    const [y, last] = recur(layer as unknown as Call, cell, own, 'bidirectional', directions);
    // Both directions beside each other: [batch, steps…, directions, units].
    const both = own.returnSequences ? permuted(b, y, [2, 0, 1, 3]) : permuted(b, last, [1, 0, 2]);
    const dims = b.type(both).dims;
    const [lead, units] = [dims.slice(0, -2), dims.at(-1) as number];
    if (config.mergeMode === 'concat') return Tensor.plain(b, reshaped(b, both, [...lead, 2 * units]));
    const op = { sum: 'ReduceSum', mul: 'ReduceProd', ave: 'ReduceMean' }[config.mergeMode];
    return Tensor.plain(b, f.node(op, [both, b.constant(int64s([-2]))], { keepdims: 0 }));
  },
});

export default [...Object.keys(cells).map(recurrent), bidirectional];
