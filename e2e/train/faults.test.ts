// What goes wrong while training ends in an error that names it, and nothing is lost.

import { afterEach, beforeEach, expect, it } from 'vitest';
import { compressedRows, matrixText } from '../../src/base/compressed-rows';
import type { LeptonError } from '../../src/base/errors';
import type { CompileSpec, Named } from '../../src/nn/types';
import { training } from '../../src/train';
import { Devices } from '../../src/worker/devices';
import { makeRunner } from '../../src/worker/make-runner';
import { Trainer } from '../../src/worker/trainer';
import { describeDawn } from '../support/dawn';
import { mulberry32 } from '../support/random';
import { floatsOf, wire } from './batch';
import { sequence } from './networks';

const spec = sequence('small', { shape: [6], dtype: 'float32' }, [
  ['Dense', { units: 8, activation: 'relu' }],
  ['Dense', { units: 3, activation: 'softmax' }],
]);

const compileWith = (optimizer: Named): CompileSpec => ({
  optimizer,
  losses: [{ name: 'sparseCategoricalCrossentropy' }],
  lossWeights: [1],
  metrics: [[]],
});

const random = mulberry32(5);
const x = Float32Array.from({ length: 60 }, () => 2 * random() - 1);
const y = Int32Array.from({ length: 10 }, () => Math.floor(3 * random()));

function batch({ inputs = wire(x, [10, 6]), targets = wire(y, [10]), learningRate = 0.05 } = {}) {
  return { trainer: 0, kind: 'train' as const, inputs: [inputs], targets: [targets], learningRate };
}

describeDawn('faults of training', (dawn) => {
  let trainer: Trainer;
  let devices: Devices;
  beforeEach(async () => {
    devices = new Devices(dawn.gpu);
    trainer = new Trainer({ spec, seed: 1, training, makeRunner, devices, snapshotInterval: 0 });
    await trainer.build();
    await trainer.compile(compileWith({ name: 'adam' }));
  });
  afterEach(() => trainer.dispose());

  const refused = async (request: Parameters<Trainer['batch']>[0]): Promise<LeptonError> => {
    return trainer.batch(request).then(
      () => expect.fail('it was taken'),
      (error: LeptonError) => error,
    );
  };

  it.each([
    [
      'another shape',
      batch({ inputs: wire(x, [12, 5]) }),
      'Input "x" must be float32[batch, 6], but x is float32[12, 5].',
    ],
    [
      'an empty batch',
      batch({ inputs: wire(new Float32Array(), [0, 6]), targets: wire(new Int32Array(), [0]) }),
      'The batch is empty',
    ],
    ['other numbers of samples', batch({ targets: wire(y.subarray(3), [7]) }), 'y has 7 samples, but x has 10.'],
    [
      'a label out of range',
      batch({ targets: wire(Int32Array.from(y).fill(3, 4, 5), [10]) }),
      'y has the label 3 at element 4',
    ],
    [
      'sample weights for other samples',
      { ...batch(), sampleWeight: wire(x.subarray(0, 9), [9]) },
      'sampleWeight must be float32[10], one number for each sample, but is float32[9].',
    ],
  ])('%s', async (_name, request, message) => {
    const error = await refused(request);
    expect(error.code).toBe('INVALID_INPUT');
    expect(error.message).toContain(message);
    expect((await trainer.batch(batch())).loss).toBeGreaterThan(0);
  });

  it('a loss that is no number names what gave it, and leaves the weights', async () => {
    await trainer.batch(batch());
    const before = await trainer.state(true);
    const broken = Float32Array.from(x);
    broken[7] = Number.NaN;
    const error = await refused(batch({ inputs: wire(broken, [10, 6]) }));
    expect(error.code).toBe('NOT_FINITE');
    expect(error.message).toContain('The first to be so is the input "x".');
    expect(await trainer.state(true)).toEqual(before);
    const weights = { ...before, 'Dense_1/bias': wire(Float32Array.of(1, Number.POSITIVE_INFINITY, 0), [3]) };
    await trainer.setState(weights);
    expect((await refused(batch())).message).toContain('the weight "Dense_1/bias"');
  });

  it('a gradient that is no number under a loss that is one names its weight, and leaves the weights', async () => {
    const steep = sequence('steep', { shape: [1], dtype: 'float32' }, [
      ['Dense', { units: 1 }],
      ['Dense', { units: 1 }],
    ]);
    const one = new Trainer({ spec: steep, seed: 1, training, makeRunner, devices });
    await one.build();
    await one.compile({ ...compileWith({ name: 'adam' }), losses: [{ name: 'meanAbsoluteError' }] });
    const single = (value: number) => wire(Float32Array.of(value), [1, 1]);
    const step = (value: number) => {
      const [inputs, targets] = [[single(value)], [single(value)]];
      return one.batch({ trainer: 0, kind: 'train', inputs, targets, learningRate: 0.1 });
    };
    await step(1);
    // 1e30 · 1e-30 · 1e30 is a number, but the first kernel's derivative is 1e30 · 1e30.
    await one.setState({ 'Dense_0/kernel': single(1e-30), 'Dense_1/kernel': single(1e30) });
    const before = await one.state(true);
    const error = await step(1e30).catch((e: LeptonError) => e);
    expect(error).toMatchObject({ code: 'NOT_FINITE', details: { weight: 'Dense_0/kernel' } });
    expect((error as LeptonError).message).toContain('the gradient of the weight "Dense_0/kernel" is not finite');
    expect(await one.state(true)).toEqual(before);
    expect((await step(1)).loss).toBeGreaterThan(0);
    await one.dispose();
  });

  it('a weight of another shape, or unknown, is refused', async () => {
    const error = await trainer.setState({ 'Dense_0/bias': wire(x.subarray(0, 3), [3]) }).catch((e: LeptonError) => e);
    expect(error).toMatchObject({ code: 'INVALID_INPUT' });
    expect((error as LeptonError).message).toContain('"Dense_0/bias" is float32[8], but was given float32[3]');
    await expect(trainer.setState({ nobody: wire(x, [60]) })).rejects.toThrow('The model has no weight "nobody"');
  });

  it('a device lost in the middle: training goes on from the last snapshot', async () => {
    const first = await trainer.batch(batch());
    for (let i = 0; i < 20; i++) await trainer.batch(batch());
    const before = await trainer.state(true);
    const { device } = await devices.get();
    device.handle.destroy();
    // Several at once: the first that fails makes the new device for all.
    const reports = await Promise.all([1, 2, 3].map(() => trainer.batch(batch())));
    expect(reports[0]?.loss).toBeLessThan(first.loss);
    const after = await trainer.state(true);
    expect(floatsOf(after['optimizer/step'] as never)[0]).toBeGreaterThan(
      (floatsOf(before['optimizer/step'] as never)[0] as number) - 2,
    );
  });

  it('a device lost right after weights were set: they are kept, and can be read', async () => {
    const slow = new Trainer({ spec, seed: 1, training, makeRunner, devices });
    await slow.build();
    await slow.compile(compileWith({ name: 'adam' }));
    await slow.batch(batch());
    const bias = wire(Float32Array.of(1, 2, 3), [3]);
    await slow.setState({ 'Dense_1/bias': bias });
    const { device } = await devices.get();
    device.handle.destroy();
    expect((await slow.state(false))['Dense_1/bias']).toEqual(bias);
    expect((await slow.batch(batch())).loss).toBeGreaterThan(0);
    await slow.dispose();
  });

  it('an optimiser that there is not leaves the model as it was', async () => {
    await trainer.batch(batch());
    const before = await trainer.state(true);
    await expect(trainer.compile(compileWith({ name: 'magic' }))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await trainer.state(true)).toEqual(before);
  });

  it('another optimiser begins anew and keeps the weights', async () => {
    await trainer.batch(batch());
    const before = await trainer.state(false);
    await trainer.compile(compileWith({ name: 'sgd', config: { momentum: 0.9 } }));
    expect(await trainer.state(false)).toEqual(before);
    expect((await trainer.batch(batch())).loss).toBeGreaterThan(0);
  });

  it('the same seeds, the same weights', async () => {
    const other = new Trainer({ spec, seed: 1, training, makeRunner, devices });
    await other.build();
    await other.compile(compileWith({ name: 'adam' }));
    for (const each of [trainer, other]) for (let i = 0; i < 3; i++) await each.batch(batch());
    expect(await other.state(true)).toEqual(await trainer.state(true));
    await other.dispose();
  });

  it('an index that an embedding has no row for', async () => {
    const embedded = sequence('words', { shape: [4], dtype: 'int32' }, [
      ['Embedding', { inputDim: 5, outputDim: 3 }],
      ['Flatten'],
      ['Dense', { units: 3, activation: 'softmax' }],
    ]);
    const one = new Trainer({ spec: embedded, seed: 1, training, makeRunner, devices });
    await one.build();
    await one.compile(compileWith({ name: 'adam' }));
    const words = (last: number) => [wire(Int32Array.of(0, 1, 2, 3, 4, 0, 1, last), [2, 4])];
    const request = {
      trainer: 0,
      kind: 'train' as const,
      targets: [wire(Int32Array.of(0, 2), [2])],
      learningRate: 0.1,
    };
    await expect(one.batch({ ...request, inputs: words(5) })).rejects.toThrow(
      'Input "x" has 5 at element 7, but the layer "Embedding_0" has 5 rows: indices are from 0 to 4.',
    );
    expect((await one.batch({ ...request, inputs: words(4) })).loss).toBeGreaterThan(0);
    await one.dispose();
  });

  it('a number that a sparse matrix has no row for, and a batch that is not all of its samples', async () => {
    const matrix = matrixText(compressedRows({ shape: [3, 3], rows: [0, 1, 2], columns: [1, 2, 0] }));
    const graph = sequence('graph', { shape: [], dtype: 'int32' }, [
      ['SparseDense', { units: 4, matrix }],
      ['GCNConv', { units: 3, matrix, activation: 'softmax' }],
    ]);
    const one = new Trainer({ spec: graph, seed: 1, training, makeRunner, devices });
    await one.build();
    await one.compile(compileWith({ name: 'adam' }));
    const request = (...numbers: number[]) => ({
      ...{ trainer: 0, kind: 'train' as const, learningRate: 0.1 },
      inputs: [wire(Int32Array.from(numbers), [numbers.length])],
      targets: [wire(new Int32Array(numbers.length), [numbers.length])],
    });
    await expect(one.batch(request(0, 1, 3))).rejects.toThrow(
      'Input "x" has 3 at element 2, but the layer "SparseDense_0" has 3 rows: indices are from 0 to 2.',
    );
    await expect(one.batch(request(0, 1))).rejects.toThrow('needs all 3 samples of its matrix as one batch');
    expect((await one.batch(request(0, 1, 2))).loss).toBeGreaterThan(0);
    await one.dispose();
  });
});
