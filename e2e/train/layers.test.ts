// One step of training through every layer on Dawn: loss, weights and moving averages afterwards are those of the host. What
// feeds a layer, or where no gradient leaves it what follows, is trained too, so that gradients pass through it.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { decode, encode, type NDArray, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { Variables } from '../../src/gpu/variables';
import { describe as describeModel } from '../../src/nn/build';
import { initialise } from '../../src/nn/initializers';
import type { CallSpec, CompileSpec, LayerSpec, ModelSpec } from '../../src/nn/types';
import { learningRateName, sampleWeightName, seedName, targetName } from '../../src/train/names';
import { planOf } from '../../src/train/plan';
import { stateOf, stepGraph } from '../../src/train/step';
import { Devices, type SharedDevice } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import { planFeeds } from '../../src/worker/training-feeds';
import { describeDawn } from '../support/dawn';
import { hostOutputs } from '../support/host-graph';
import { type Example, examples, nameOf } from '../support/layer-examples';
import { mulberry32 } from '../support/random';

const batch = 3;
const compile: CompileSpec = {
  optimizer: { name: 'sgd' },
  losses: [{ name: 'meanSquaredError' }],
  lossWeights: [1],
  metrics: [[{ name: 'meanAbsoluteError' }]],
};

const slopes = (name: string): LayerSpec => ({
  name,
  className: 'PReLU',
  config: { alphaInitializer: { name: 'randomUniform', config: { minval: 0.5, maxval: 1.5 } } },
});

/** The layer between others of which every element has a weight. */
function modelOf({ className, config = {}, shapes, dtype: given }: Example): ModelSpec {
  const dtype = given ?? ('float32' as const);
  const inputs = shapes.map((shape, i) => ({ name: `x${i}`, shape, dtype }));
  const led = dtype === 'float32';
  const leading = led ? inputs.map(({ name }) => slopes(`before_${name}`)) : [];
  const calls: CallSpec[] = leading.map(({ name }, i) => ({ layer: name, inputs: [`x${i}`], output: name }));
  const fed = led ? leading.map(({ name }) => name) : inputs.map(({ name }) => name);
  return {
    name: className,
    inputs,
    layers: [...leading, { name: 'layer', className, config }, slopes('after')],
    calls: [
      ...calls,
      { layer: 'layer', inputs: fed, output: 'between' },
      { layer: 'after', inputs: ['between'], output: 'y' },
    ],
    outputs: ['y'],
  };
}

describeDawn('a step through every layer', (dawn) => {
  let shared: SharedDevice;
  beforeAll(async () => {
    shared = await new Devices(dawn.gpu).get(undefined);
  });
  afterAll(() => shared.device.handle.destroy());

  for (const example of examples) {
    it(nameOf(example), async () => {
      const random = mulberry32(9);
      const spec = modelOf(example);
      const { weights, outputs } = describeModel(spec);
      const draw = (dtype: 'float32' | 'int32', dims: number[]): NDArray => {
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
      const { bytes } = await runner.run(
        planFeeds(plan, new Map(wire)),
        plan.outputs.map(({ name }) => ({ name, location: 'cpu' as const })),
      );
      const report = decode('float32', expected.report.dims, bytes.get(plan.outputs[0]?.name as string) as Uint8Array);
      expectNear('the report', report, expected.report);
      const read = await variables.read([...state.keys()]);
      for (const [name, { dims }] of state) {
        const got = decode('float32', dims, read.get(name) as Uint8Array);
        expectNear(name, got, expected.state.get(name) ?? (state.get(name) as NDArray));
      }
      runner.dispose();
      variables.dispose();
    });
  }
});

/** The report, and the contents of the variables that the step overwrites. */
function afterwards(graph: ReturnType<typeof stepGraph>['graph'], feeds: ReadonlyMap<string, NDArray>) {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const results = hostOutputs(graph, feeds);
  const state = graph.outputs.slice(1).map((name, i): [string, NDArray] => {
    const node = makers.get(name);
    return [node?.inputs[node.outputs.indexOf(name)] as string, results[i + 1] as NDArray];
  });
  return { report: results[0] as NDArray, state: new Map(state) };
}

function expectNear(what: string, got: NDArray, expected: NDArray): void {
  const scale = Math.max(1e-3, ...Array.from(expected.data, Math.abs));
  got.data.forEach((value, i) => {
    const difference = Math.abs(value - (expected.data[i] as number)) / scale;
    expect(difference, `${what}, element ${i}: ${value}, expected ${expected.data[i]}`).toBeLessThan(1e-3);
  });
}
