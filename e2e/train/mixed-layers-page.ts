// The page's side of the test of mixed precision through every layer: a step on this browser's GPU against the same on the
// host, whose products are exact.

import { decode, encode, type NDArray, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { Variables } from '../../src/gpu/variables';
import { describe } from '../../src/nn/build';
import { initialise } from '../../src/nn/initializers';
import type { CallSpec, CompileSpec, LayerSpec, ModelSpec } from '../../src/nn/types';
import { learningRateName, sampleWeightName, seedName, targetName } from '../../src/train/names';
import { planOf } from '../../src/train/plan';
import { stateOf, stepGraph } from '../../src/train/step';
import { Devices } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import { planFeeds } from '../../src/worker/training-feeds';
import { hostOutputs } from '../support/host-graph';
import { type Example, examples, nameOf } from '../support/layer-examples';
import { mulberry32 } from '../support/random';

const batch = 3;
const compile: CompileSpec = {
  optimizer: { name: 'sgd' },
  losses: [{ name: 'meanSquaredError' }],
  lossWeights: [1],
  metrics: [[]],
  mixedPrecision: { initialScale: 256, dynamicGrowthSteps: 2000 },
};
/** Of the largest element: float16 has three digits. */
const tolerance = 0.02;

/** The layer between products of the last axis, so that what comes in is of float16, and its gradient too. */
function modelOf({ className, config = {}, shapes, result, dtype: given }: Example): ModelSpec {
  const dtype: 'float32' | 'int32' = given ?? 'float32';
  const inputs = shapes.map((shape, i) => ({ name: `x${i}`, shape, dtype }));
  const dense = (name: string, units: number): LayerSpec => ({ name, className: 'Dense', config: { units } });
  const led = dtype === 'float32';
  const leading = led ? shapes.map((shape, i) => dense(`before${i}`, shape.at(-1) as number)) : [];
  const calls: CallSpec[] = leading.map(({ name }, i) => ({ layer: name, inputs: [`x${i}`], output: name }));
  const fed = led ? leading.map(({ name }) => name) : inputs.map(({ name }) => name);
  return {
    name: className,
    inputs,
    layers: [...leading, { name: 'layer', className, config }, dense('after', result.at(-1) as number)],
    calls: [
      ...calls,
      { layer: 'layer', inputs: fed, output: 'between' },
      { layer: 'after', inputs: ['between'], output: 'y' },
    ],
    outputs: ['y'],
  };
}

const devices = new Devices(navigator.gpu);

/** Which have nothing to do in float16. */
const recurrent = new Set(['LSTM', 'GRU', 'SimpleRNN', 'Bidirectional']);

/** "layer: what disagrees", empty when all is well; and the operators that computed in float16. */
export async function checkLayers(): Promise<{ failures: string[]; operators: string[] }> {
  const failures: string[] = [];
  const operators = new Set<string>();
  for (const example of examples) {
    if (recurrent.has(example.className)) continue;
    try {
      for (const op of await checkLayer(example, (text) => failures.push(`${nameOf(example)}: ${text}`))) {
        operators.add(op);
      }
    } catch (error) {
      failures.push(`${nameOf(example)}: ${(error as Error).stack}`);
    }
  }
  return { failures, operators: [...operators].sort() };
}

async function checkLayer(example: Example, fail: (text: string) => void): Promise<string[]> {
  const shared = await devices.get(undefined);
  const random = mulberry32(9);
  const spec = modelOf(example);
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
  const { dims } = expected.report;
  compare(
    'the report',
    decode('float32', dims, bytes.get(wanted[0]?.name as string) as Uint8Array),
    expected.report,
    fail,
  );
  const read = await variables.read([...state.keys()]);
  for (const [name, before] of state) {
    const after = decode('float32', before.dims, read.get(name) as Uint8Array);
    compare(name, after, expected.state.get(name) ?? before, fail);
  }
  runner.dispose();
  variables.dispose();
  const { nodes, values } = step.graph;
  return nodes.filter(({ outputs: [name = ''] }) => values.get(name)?.dtype === 'float16').map(({ op }) => op);
}

/** The report, and the contents of the variables that the step overwrites. */
function afterwards(graph: ReturnType<typeof stepGraph>['graph'], feeds: ReadonlyMap<string, NDArray>) {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const [report, ...results] = hostOutputs(graph, feeds) as [NDArray, ...NDArray[]];
  const state = graph.outputs.slice(1).map((name, i): [string, NDArray] => {
    const node = makers.get(name);
    return [node?.inputs[node.outputs.indexOf(name)] as string, results[i] as NDArray];
  });
  return { report, state: new Map(state) };
}

function compare(what: string, got: NDArray, expected: NDArray, fail: (text: string) => void): void {
  const scale = Math.max(0.1, ...Array.from(expected.data, Math.abs));
  const wrong = got.data.findIndex(
    (value, i) => !(Math.abs(value - (expected.data[i] as number)) <= tolerance * scale),
  );
  if (wrong >= 0) fail(`${what}, element ${wrong}: ${got.data[wrong]}, expected ${expected.data[wrong]}`);
}
