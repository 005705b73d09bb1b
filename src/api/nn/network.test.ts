// Models as the page builds them: names, order, sharing, saving and mistakes.

import { describe, expect, it } from 'vitest';
import { fromArrays } from '../../data';
import { describe as describeModel } from '../../nn/build';
import { input } from './layer';
import * as layers from './layers';
import { model, Network, sequential } from './network';

describe('sequential', () => {
  it('becomes plain data, with names numbered within the model', () => {
    const made = sequential([
      layers.conv2d({ inputShape: [28, 28, 1], filters: 8, kernelSize: 3, activation: 'relu' }),
      layers.maxPooling2d(),
      layers.flatten(),
      layers.dense({ units: 32, kernelRegularizer: { name: 'l2', l2: 0.1 }, trainable: false }),
    ]);
    made.add(layers.dense({ units: 10, activation: 'softmax', learningRateMultiplier: 2 }));
    expect(made.spec).toEqual({
      name: 'sequential',
      inputs: [{ name: 'input', shape: [28, 28, 1], dtype: 'float32' }],
      layers: [
        layer('conv2d', 'Conv2D', { filters: 8, kernelSize: 3, activation: 'relu' }),
        layer('max_pooling2d', 'MaxPooling2D'),
        layer('flatten', 'Flatten'),
        {
          ...layer('dense', 'Dense', { units: 32, kernelRegularizer: { name: 'l2', config: { l2: 0.1 } } }),
          trainable: false,
        },
        { ...layer('dense_1', 'Dense', { units: 10, activation: 'softmax' }), learningRateMultiplier: 2 },
      ],
      calls: [
        { layer: 'conv2d', inputs: ['input'], output: 'conv2d' },
        { layer: 'max_pooling2d', inputs: ['conv2d'], output: 'max_pooling2d' },
        { layer: 'flatten', inputs: ['max_pooling2d'], output: 'flatten' },
        { layer: 'dense', inputs: ['flatten'], output: 'dense' },
        { layer: 'dense_1', inputs: ['dense'], output: 'dense_1' },
      ],
      outputs: ['dense_1'],
    });
    expect(describeModel(made.spec).outputs).toEqual([{ name: 'dense_1', shape: [null, 10] }]);
  });

  it('takes whole numbers where it begins with an embedding', () => {
    const made = sequential([layers.embedding({ inputShape: [7], inputDim: 10, outputDim: 4 })]);
    expect(made.spec.inputs).toEqual([{ name: 'input', shape: [7], dtype: 'int32' }]);
  });

  it('has layers that can be found and frozen', () => {
    const made = sequential([
      input({ shape: [3] }),
      layers.dense({ units: 2 }),
      layers.dense({ name: 'head', units: 1 }),
    ]);
    made.getLayer('dense').trainable = false;
    expect(made.spec.layers.map(({ trainable }) => trainable)).toEqual([false, true]);
    expect(() => made.getLayer('tail')).toThrow('no layer "tail"; it has dense, head');
  });

  it('says what is missing', () => {
    expect(() => sequential([layers.dense({ units: 2 })])).toThrow('needs an inputShape');
    expect(() => sequential([layers.dense({ units: 2, inputShape: [1] }), input({ shape: [1] })])).toThrow(
      'before all',
    );
    expect(() => sequential([{} as never])).toThrow('add() takes a layer');
    expect(() => sequential().spec).toThrow('at least one input and one layer');
  });
});

describe('model', () => {
  it('is all that leads from the inputs to the outputs', () => {
    const [a, b] = [input({ shape: [4], name: 'a' }), input({ shape: [4] })];
    const shared = layers.dense({ units: 3 });
    const [u, v] = [shared.apply(a), shared.apply(b)];
    layers.dense({ units: 9 }).apply(u);
    const joined = layers.concatenate().apply([u, v]);
    const out = layers.dense({ units: 1, name: 'out' }).apply(joined);
    const { spec } = model({ inputs: [a, b], outputs: [out, u] });
    expect(spec.inputs.map(({ name }) => name)).toEqual(['a', 'input']);
    expect(spec.layers.map(({ name }) => name)).toEqual(['dense', 'concatenate', 'out']);
    expect(spec.calls).toEqual([
      { layer: 'dense', inputs: ['a'], output: 'dense' },
      { layer: 'dense', inputs: ['input'], output: 'dense:1' },
      { layer: 'concatenate', inputs: ['dense', 'dense:1'], output: 'concatenate' },
      { layer: 'out', inputs: ['concatenate'], output: 'out' },
    ]);
    expect(spec.outputs).toEqual(['out', 'dense']);
    expect(describeModel(spec).outputs.map(({ shape }) => shape)).toEqual([
      [null, 1],
      [null, 3],
    ]);
    // What was saved is built again as it was.
    const again = Network.fromSpec(spec);
    expect(again.spec).toEqual(spec);
    expect(again.getLayer('out').output).toBe(again.outputs[0]);
  });

  it('goes deeper than the stack', () => {
    const first = input({ shape: [1] });
    let value = first;
    for (let i = 0; i < 20_000; i++) value = layers.activation({ activation: 'relu' }).apply(value);
    expect(model({ inputs: first, outputs: value }).layers).toHaveLength(20_000);
  });

  it('keeps options of wrapped layers and regularisers when it is saved', () => {
    const made = sequential([
      input({ shape: [5, 3] }),
      layers.bidirectional({ layer: layers.lstm({ units: 4, kernelRegularizer: { name: 'l1', l1: 1 } }) }),
    ]);
    expect(made.spec.layers[0]?.config).toEqual({
      layer: { className: 'LSTM', config: { units: 4, kernelRegularizer: { name: 'l1', config: { l1: 1 } } } },
    });
    expect(Network.fromSpec(made.spec).spec).toEqual(made.spec);
    expect(describeModel(made.spec).outputs[0]?.shape).toEqual([null, 8]);
  });

  it('says what does not follow', () => {
    const [a, b] = [input({ shape: [4] }), input({ shape: [4], name: 'b' })];
    const out = layers.add().apply([a, b]);
    expect(() => model({ inputs: a, outputs: out })).toThrow('follows from the input "b"');
    expect(() => model({ inputs: out, outputs: out })).toThrow('what input({ shape }) gives');
    expect(() => model({ inputs: a, outputs: [] })).toThrow('at least one');
    expect(() => layers.dense({ units: 1 }).apply([1 as never])).toThrow('Dense.apply() takes');
    expect(() => layers.dense({ units: 1 }).output).toThrow('not applied');
    const twice = (name: string) => layers.flatten({ name }).apply(layers.flatten({ name: 'x' }).apply(a));
    expect(() => model({ inputs: a, outputs: twice('x') })).toThrow('are named "x"');
    expect(() => model({ inputs: a, outputs: twice('x/y') })).toThrow('no name');
    expect(() => layers.dense({ units: (() => 1) as never })).toThrow('is a function');
  });
});

function layer(name: string, className: string, config: object = {}) {
  return { name, className, config, trainable: true, learningRateMultiplier: 1 };
}

describe('options', () => {
  const [x, y] = [new Float32Array(4), new Float32Array(4)];
  const network = () => sequential([layers.dense({ units: 1, inputShape: [1] })]);

  it.each<[string, (options: never) => Promise<unknown>]>([
    ['fit()', (options) => network().fit(x, y, options)],
    ['fit()', (options) => network().fit(fromArrays({ xs: x, ys: y }).batch({ size: 2 }), options)],
    ['evaluate()', (options) => network().evaluate(x, y, options)],
    ['predict()', (options) => network().predict(x, options)],
    ['trainOnBatch()', (options) => network().trainOnBatch(x, y, options)],
  ])('of %s that there are not are named before anything runs', async (who, call) => {
    const error = {
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`${who} has no option "batch_size"; it has`),
    };
    await expect(call({ batch_size: 2 } as never)).rejects.toMatchObject(error);
  });
});
