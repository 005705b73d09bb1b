// Lepton training in its page: the built library by script tags, a model made of layers by their public names.

import type * as Running from '../../../src/api';
import type { SymbolicTensor } from '../../../src/api/nn/layer';
import type * as Lepton from '../../../src/api/training';
import type { Feed, Training, TrainingData, TrainingRun } from './runtime';
import { serveTraining } from './training';
import { elementsOf } from './typed-arrays';

declare const lepton: typeof Lepton & typeof Running;

type Factory = (options: object) => Lepton.Layer;

async function train({ spec, loss, learningRate }: Training, { weights, x, y }: TrainingData): Promise<TrainingRun> {
  const factories = new Map(
    Object.entries(lepton.layers).map(([name, factory]) => [name.toLowerCase(), factory as Factory]),
  );
  const layers = new Map(
    spec.layers.map(({ name, className, config }) => {
      const factory = factories.get(className.toLowerCase()) as Factory;
      return [name, factory({ ...config, name })];
    }),
  );
  const inputs = spec.inputs.map(({ name, shape, dtype }) => lepton.input({ name, shape, dtype }));
  const values = new Map(spec.inputs.map(({ name }, i) => [name, inputs[i] as SymbolicTensor]));
  const of = (names: readonly string[]) => names.map((name) => values.get(name) as SymbolicTensor);
  for (const { layer, inputs, output } of spec.calls) {
    values.set(output, (layers.get(layer) as Lepton.Layer).apply(of(inputs)));
  }
  const model = lepton.model({ inputs, outputs: of(spec.outputs) });
  model.compile({ optimizer: { name: 'adam', learningRate }, loss });
  await model.build({ seed: 1 });
  await model.setWeights(Object.fromEntries(weights.map((feed) => [feed.name, tensorOf(feed)])));
  const [inputsOfStep, targets] = [tensorOf(x), tensorOf(y)];
  return {
    step: async () => (await model.trainOnBatch(inputsOfStep, targets)).loss as number,
    dispose: () => model.dispose(),
  };
}

serveTraining({ start: () => lepton.start().then(() => ''), train });

function tensorOf({ dtype, dims, bytes }: Feed) {
  return { type: dtype as 'float32', dims, data: elementsOf(dtype, bytes) };
}
