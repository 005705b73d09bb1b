// Runs a model's layers on the host: its outputs, and the gradients of their weighted sum.

import { type NDArray, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { GraphBuilder } from '../../src/ir/builder';
import { describe, type Forward, forward } from '../../src/nn/build';
import { initialise } from '../../src/nn/initializers';
import type { Config, ModelSpec, Shape } from '../../src/nn/types';
import { inferNode } from '../../src/ops/registry';
import { dropDeadCode } from '../../src/transform/dead-code';
import { differentiate } from '../../src/transform/differentiate';
import { hostOutputs } from './host-graph';
import { mulberry32 } from './random';

/** A model of one layer, applied to inputs of these shapes (without the batch). */
export function oneLayer(
  className: string,
  config: Config,
  shapes: readonly Shape[],
  dtype: 'float32' | 'int32' = 'float32',
) {
  const inputs = shapes.map((shape, i) => ({ name: `x${i}`, shape, dtype }));
  return {
    name: 'model',
    inputs,
    layers: [{ name: 'layer', className, config }],
    calls: [{ layer: 'layer', inputs: inputs.map(({ name }) => name), output: 'y' }],
    outputs: ['y'],
  } satisfies ModelSpec;
}

/** Layers one after another, named 'l0', 'l1' … */
export function chain(shape: Shape, layers: readonly (readonly [className: string, config: Config])[]): ModelSpec {
  return {
    name: 'model',
    inputs: [{ name: 'x0', shape, dtype: 'float32' }],
    layers: layers.map(([className, config], i) => ({ name: `l${i}`, className, config })),
    calls: layers.map((_, i) => ({ layer: `l${i}`, inputs: [i === 0 ? 'x0' : `y${i - 1}`], output: `y${i}` })),
    outputs: [`y${layers.length - 1}`],
  };
}

export interface HostNetwork {
  readonly made: Forward;
  /** Of the outputs in order, the next values of `updates`, then one for each weight. */
  run(feeds?: ReadonlyMap<string, NDArray>): { outputs: NDArray[]; updates: NDArray[]; loss: number };
  /** By variable: the weights that are trained, and the inputs of floats. */
  readonly gradients: ReadonlyMap<string, NDArray>;
  readonly values: ReadonlyMap<string, NDArray>;
}

/** @param given values of weights and inputs by name; the others are drawn */
export function hostNetwork(
  model: ModelSpec,
  batch: number,
  training: boolean,
  given: Readonly<Record<string, readonly number[]>> = {},
  seed = 7,
): HostNetwork {
  const random = mulberry32(3);
  const b = new GraphBuilder('model', inferNode);
  const values = new Map<string, NDArray>();
  for (const { name, shape, dtype } of model.inputs) {
    const dims = [batch, ...(shape as number[])];
    const draw = () => (dtype === 'int32' ? Math.floor(4 * random()) : 2 * random() - 1);
    values.set(name, ndarray(dtype, dims, given[name] ?? Array.from({ length: sizeOf(dims) }, draw)));
    b.input(name, dtype, dims);
  }
  const { weights } = describe(model);
  for (const info of weights) {
    const first = given[info.name] ?? initialise(info, 1).map((v) => (info.initializer.name === 'zeros' ? v + 0.1 : v));
    values.set(info.name, ndarray('float32', info.dims, first));
    b.input(info.name, 'float32', info.dims);
  }
  values.set('seed', ndarray('int32', [1], [seed]));
  b.input('seed', 'int32', [1]);
  const made = forward(model, b, {
    inputs: model.inputs.map(({ name }) => name),
    weights: (name) => name,
    training,
    seed: 'seed',
  });
  const parts = made.outputs.map((name) => {
    const { dims } = b.type(name);
    const factors = b.constant(
      ndarray(
        'float32',
        dims,
        Array.from({ length: sizeOf(dims) }, () => 0.5 + random()),
      ),
    );
    return b.add('ReduceSum', [b.add('Mul', [name, factors])[0] as string], { keepdims: 0 })[0] as string;
  });
  const [loss] = b.add('Sum', [...parts, ...made.penalties]) as [string];
  const graph = b.finish([...made.outputs, ...made.updates.map(({ value }) => value), loss]);
  const run = (feeds: ReadonlyMap<string, NDArray> = values) => {
    const results = hostOutputs(graph, feeds);
    return {
      outputs: results.slice(0, made.outputs.length),
      updates: results.slice(made.outputs.length, -1),
      loss: results.at(-1)?.data[0] as number,
    };
  };
  return {
    made,
    run,
    values,
    get gradients() {
      const inputs = model.inputs.filter(({ dtype }) => dtype === 'float32').map(({ name }) => name);
      const names = [...weights.filter(({ trainable }) => trainable).map(({ name }) => name), ...inputs];
      const { graph: both, gradients } = differentiate(graph, loss, names);
      const wanted = names.map((name) => gradients.get(name) as string);
      const found = hostOutputs(dropDeadCode({ ...both, outputs: wanted }), values);
      return new Map(names.map((name, i) => [name, found[i] as NDArray]));
    },
  };
}
