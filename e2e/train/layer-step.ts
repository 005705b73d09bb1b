// One step of training through a layer that stands between others, on a GPU and on the host, whose products are exact.

import { decode, encode, type NDArray, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { Variables } from '../../src/gpu/variables';
import type { Graph } from '../../src/ir/graph';
import { describe } from '../../src/nn/build';
import { initialise } from '../../src/nn/initializers';
import type { CallSpec, CompileSpec, LayerSpec, ModelSpec } from '../../src/nn/types';
import { learningRateName, sampleWeightName, seedName, targetName } from '../../src/train/names';
import { planOf } from '../../src/train/plan';
import { stateOf, stepGraph } from '../../src/train/step';
import type { SharedDevice } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import { planFeeds } from '../../src/worker/training-feeds';
import { hostOutputs } from '../support/host-graph';
import type { Example } from '../support/layer-examples';
import { mulberry32 } from '../support/random';

const batch = 3;

/** @param before what stands in front of the layer's `i`-th input; not of integers, which have no gradient */
export function modelAround(
  { className, config = {}, shapes, dtype: given }: Example,
  before: (i: number) => LayerSpec,
  after: LayerSpec,
): ModelSpec {
  const dtype = given ?? ('float32' as const);
  const inputs = shapes.map((shape, i) => ({ name: `x${i}`, shape, dtype }));
  const leading = dtype === 'float32' ? shapes.map((_, i) => before(i)) : [];
  const calls: CallSpec[] = leading.map(({ name }, i) => ({ layer: name, inputs: [`x${i}`], output: name }));
  const fed = leading.length > 0 ? leading.map(({ name }) => name) : inputs.map(({ name }) => name);
  return {
    name: className,
    inputs,
    layers: [...leading, { name: 'layer', className, config }, after],
    calls: [
      ...calls,
      { layer: 'layer', inputs: fed, output: 'between' },
      { layer: after.name, inputs: ['between'], output: 'y' },
    ],
    outputs: ['y'],
  };
}

export interface Compared {
  /** 'the report', or a variable. */
  readonly name: string;
  readonly got: NDArray;
  readonly expected: NDArray;
}

/** What a step reports and leaves behind. */
export async function stepBothWays(
  shared: SharedDevice,
  spec: ModelSpec,
  compile: CompileSpec,
): Promise<{ readonly graph: Graph; readonly compared: readonly Compared[] }> {
  const random = mulberry32(9);
  const { weights, outputs } = describe(spec);
  const draw = (dtype: 'float32' | 'int32', dims: readonly number[]): NDArray => {
    const values = Array.from({ length: sizeOf(dims) }, () => 2 * random() - 1);
    return ndarray(dtype, dims, dtype === 'int32' ? values.map((v) => Math.floor(2 * v + 2)) : values);
  };
  const inputs = spec.inputs.map(({ shape, dtype }) => draw(dtype, [batch, ...(shape as number[])]));
  const target = draw('float32', [batch, ...((outputs[0]?.shape.slice(1) ?? []) as number[])]);
  const step = stepGraph({ kind: 'train', spec, compile, inputs, targets: [target] });
  const feeds = new Map<string, NDArray>([
    ...spec.inputs.map(({ name }, i): [string, NDArray] => [name, inputs[i] as NDArray]),
    [targetName(0), target],
    [sampleWeightName, ndarray('float32', [batch], [1, 2, 0.5])],
    [learningRateName, ndarray('float32', [], [1])],
    [seedName, ndarray('int32', [1], [77])],
  ]);
  const state = new Map(
    stateOf(spec, compile).map(({ name, dims, initial = 0 }): [string, NDArray] => {
      const info = weights.find((weight) => weight.name === name);
      const values = info ? initialise(info, 5) : new Array<number>(sizeOf(dims)).fill(initial);
      return [name, ndarray('float32', dims, values)];
    }),
  );
  const expected = afterwards(step.graph, new Map([...feeds, ...state]));

  const variables = new Variables(shared.device);
  await variables.add([...state].map(([name, { dims }]) => ({ name, dims, dtype: 'float32' })));
  for (const [name, array] of state) variables.write(name, encode(array));
  const plan = planOf(step, { adapter: shared.device.profile });
  const runner = await makeRunner(shared, plan, variables.buffers);
  const wire = [...feeds].map(([name, array]) => {
    return [name, { type: array.dtype, dims: array.dims, bytes: encode(array) }] as const;
  });
  const wanted = plan.outputs.map(({ name }) => ({ name, location: 'cpu' as const }));
  const { bytes } = await runner.run(planFeeds(plan, new Map(wire)), wanted);
  const report = decode('float32', expected.report.dims, bytes.get(wanted[0]?.name as string) as Uint8Array);
  const read = await variables.read([...state.keys()]);
  runner.dispose();
  variables.dispose();
  const left = [...state].map(([name, before]): Compared => {
    const got = decode('float32', before.dims, read.get(name) as Uint8Array);
    return { name, got, expected: expected.state.get(name) ?? before };
  });
  return { graph: step.graph, compared: [{ name: 'the report', got: report, expected: expected.report }, ...left] };
}

/** The report, and the contents of the variables that the step overwrites. */
function afterwards(graph: Graph, feeds: ReadonlyMap<string, NDArray>) {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const [report, ...results] = hostOutputs(graph, feeds) as [NDArray, ...NDArray[]];
  const state = graph.outputs.slice(1).map((name, i): [string, NDArray] => {
    const node = makers.get(name);
    return [node?.inputs[node.outputs.indexOf(name)] as string, results[i] as NDArray];
  });
  return { report, state: new Map(state) };
}
