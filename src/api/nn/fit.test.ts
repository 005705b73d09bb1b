import { describe, expect, it } from 'vitest';
import type { PruneOptions } from '../../compress/types';
import { fromArrays, type TensorLike } from '../../data';
import type { CompileSpec } from '../../nn/types';
import type { BatchReport } from '../../worker/training-protocol';
import {
  earlyStopping,
  learningRateScheduler,
  logger,
  modelCheckpoint,
  type PruningOptions,
  pruning,
  reduceLROnPlateau,
  type Trained,
  type WeightTensor,
} from './callbacks';
import { type FitPlan, fitLoop, type Loop } from './fit';
import { Totals } from './totals';

const compile: CompileSpec = {
  optimizer: { name: 'sgd' },
  losses: [{ name: 'meanSquaredError' }],
  lossWeights: [1],
  metrics: [[{ name: 'meanAbsoluteError' }]],
};

/** A model whose losses are given; its one weight is the number of batches it has seen. */
function modelOf(lossOf: (batch: number, kind: string) => number) {
  let seen = 0;
  const restored: number[] = [];
  const pruned: PruneOptions['sparsity'][] = [];
  const model: Trained = {
    learningRate: 0.1,
    stopTraining: false,
    getWeights: async () => ({ w: { type: 'float32', dims: [1], data: Float32Array.of(seen) } }),
    setWeights: async (weights) => void restored.push((weights.w as WeightTensor).data[0] as number),
    save: async () => {},
    prune: async (options) => {
      pruned.push((options as PruneOptions).sparsity);
      return { pruned: {}, left: { 'conv/kernel': `${pruned.length}` } };
    },
  };
  const loop: Loop = {
    model,
    compile,
    outputs: ['y'],
    send(kind, batch) {
      const samples = (batch.xs as TensorLike).dims[0] as number;
      if (kind === 'train') seen++;
      const loss = lossOf(seen, kind);
      const report: BatchReport = { loss, losses: [loss], metrics: [[[loss * samples, samples]]] };
      return { samples, report: Promise.resolve(report) };
    },
  };
  return { loop, model, restored, pruned };
}

const data = fromArrays({ xs: new Float32Array(10), ys: new Float32Array(10) });
const planOf = (plan: Partial<FitPlan>): FitPlan => ({
  batches: data.batch({ size: 4 }),
  validation: undefined,
  epochs: 3,
  initialEpoch: 0,
  stepsPerEpoch: Number.POSITIVE_INFINITY,
  callbacks: [],
  signal: undefined,
  ...plan,
});

describe('the loop over epochs', () => {
  it('weighs batches by their samples', async () => {
    const { loop } = modelOf((batch) => batch);
    const { epoch, history } = await fitLoop(loop, planOf({ epochs: 1 }));
    expect(epoch).toEqual([0]);
    expect(history.loss?.[0]).toBeCloseTo((4 * 1 + 4 * 2 + 2 * 3) / 10);
    expect(history.meanAbsoluteError?.[0]).toBeCloseTo((4 * 1 + 4 * 2 + 2 * 3) / 10);
  });

  it('tells callbacks in order, and validates', async () => {
    const { loop } = modelOf((batch, kind) => (kind === 'train' ? batch : 100));
    const told: string[] = [];
    const { history } = await fitLoop(
      loop,
      planOf({
        epochs: 1,
        validation: data.batch({ size: 5 }),
        callbacks: [
          {
            onTrainBegin: () => void told.push('begin'),
            onEpochBegin: (epoch) => void told.push(`epoch ${epoch}`),
            onBatchEnd: (batch, { loss }) => void told.push(`batch ${batch}: ${loss}`),
            onEpochEnd: (_epoch, logs) => void told.push(Object.keys(logs).join()),
            onTrainEnd: () => void told.push('end'),
          },
        ],
      }),
    );
    const names = 'loss,meanAbsoluteError,val_loss,val_meanAbsoluteError';
    expect(told).toEqual(['begin', 'epoch 0', 'batch 0: 1', 'batch 1: 2', 'batch 2: 3', names, 'end']);
    expect(history.val_loss).toEqual([100]);
  });

  it('waits for a callback that pauses it', async () => {
    const { loop } = modelOf(() => 1);
    let resume = () => {};
    const paused = new Promise<void>((resolve) => {
      resume = resolve;
    });
    let batches = 0;
    const onBatchBegin = (batch: number) => {
      batches++;
      return batch === 1 ? paused : undefined;
    };
    const fitting = fitLoop(loop, planOf({ epochs: 1, callbacks: [{ onBatchBegin }] }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(batches).toBe(2);
    resume();
    await fitting;
    expect(batches).toBe(3);
  });

  it('ends early, when aborted, and refuses to do nothing', async () => {
    const { loop, model } = modelOf(() => 1);
    const stop = {
      onBatchEnd() {
        model.stopTraining = true;
      },
    };
    expect((await fitLoop(loop, planOf({ callbacks: [stop] }))).epoch).toEqual([0]);
    const aborted = AbortSignal.abort();
    await expect(fitLoop(loop, planOf({ signal: aborted }))).rejects.toMatchObject({ code: 'ABORTED' });
    const empty = fromArrays({ xs: new Float32Array(0), ys: new Float32Array(0) }).batch({ size: 4 });
    await expect(fitLoop(loop, planOf({ batches: empty }))).rejects.toThrow('There is nothing to train on');
  });

  it('makes an epoch of so many steps where the data has no end', async () => {
    const { loop } = modelOf(() => 1);
    let batches = 0;
    const count = { onBatchEnd: () => void batches++ };
    const endless = data.repeat().batch({ size: 4 });
    await fitLoop(loop, planOf({ batches: endless, epochs: 2, stepsPerEpoch: 5, callbacks: [count] }));
    expect(batches).toBe(10);
  });

  it('goes on with a generator in the next epoch, asks for no batch too many, and ends it', async () => {
    const { loop } = modelOf(() => 1);
    let made = 0;
    let ended = false;
    async function* camera() {
      try {
        for (;;) {
          made++;
          yield { xs: { type: 'float32' as const, dims: [2], data: new Float32Array(2) } };
        }
      } finally {
        ended = true;
      }
    }
    const { epoch } = await fitLoop(loop, planOf({ batches: camera(), epochs: 3, stepsPerEpoch: 2 }));
    expect([epoch, made, ended]).toEqual([[0, 1, 2], 6, true]);
  });

  it('that was stopped before the first batch of an epoch has no such epoch', async () => {
    const { loop, model } = modelOf(() => 1);
    const stop = {
      onEpochBegin(epoch: number) {
        model.stopTraining = epoch === 1;
      },
    };
    expect((await fitLoop(loop, planOf({ callbacks: [stop] }))).epoch).toEqual([0]);
  });

  it('tells callbacks nothing after the end, when a batch fails', async () => {
    const { loop } = modelOf(() => 1);
    const told: string[] = [];
    const { send } = loop;
    let sent = 0;
    const failing: Loop = {
      ...loop,
      send(kind, batch) {
        const mine = sent++;
        const { samples, report } = send(kind, batch);
        const later = new Promise((resolve) => setTimeout(resolve, 10 * mine)).then(() => report);
        return { samples, report: mine === 0 ? Promise.reject(new Error('broken')) : later };
      },
    };
    const callback = {
      onBatchEnd: (batch: number) => void told.push(`batch ${batch}`),
      onTrainEnd() {
        told.push('end');
        throw new Error('nor can this be done');
      },
    };
    await expect(fitLoop(failing, planOf({ epochs: 1, callbacks: [callback] }))).rejects.toThrow('broken');
    expect(told).toEqual(['batch 1', 'batch 2', 'end']);
  });
});

describe('logs', () => {
  const reports = (metrics: number[][]): BatchReport => ({ loss: 1, losses: [1, 1], metrics: [metrics, metrics] });
  const metrics = [
    { name: 'precision', config: { threshold: 0.3 } },
    { name: 'meanAbsoluteError' },
    { name: 'precision', config: { threshold: 0.7 } },
  ];

  it('number metrics of one name, as Keras does', () => {
    const one = new Totals({ ...compile, metrics: [metrics] }, ['y']);
    const totals = [
      [1, 1, 0],
      [3, 4],
      [1, 3, 0],
    ];
    expect(one.add(reports(totals), 4)).toEqual({
      loss: 1,
      precision: 0.5,
      meanAbsoluteError: 0.75,
      precision_1: 0.25,
    });
    expect(Object.keys(new Totals({ ...compile, metrics: [metrics, metrics] }, ['a', 'b']).results())).toEqual([
      ...['loss', 'a_loss', 'a_precision', 'a_meanAbsoluteError', 'a_precision_1'],
      ...['b_loss', 'b_precision', 'b_meanAbsoluteError', 'b_precision_1'],
    ]);
  });
});

describe('callbacks', () => {
  /** Losses of epochs, of three batches each. */
  const byEpoch = (losses: readonly number[]) => (batch: number) => losses[Math.floor((batch - 1) / 3)] as number;

  it('earlyStopping waits for patience, and restores the best weights', async () => {
    const { loop, restored } = modelOf(byEpoch([3, 1, 2, 2, 2, 2]));
    const stop = earlyStopping({ monitor: 'loss', patience: 2, restoreBestWeights: true });
    const { epoch } = await fitLoop(loop, planOf({ epochs: 6, callbacks: [stop] }));
    expect(epoch).toEqual([0, 1, 2, 3]);
    expect(restored).toEqual([6]);
  });

  it('earlyStopping takes the best weights also where epochs run out, but not where training is aborted or fails', async () => {
    const stop = () => earlyStopping({ monitor: 'loss', patience: 9, restoreBestWeights: true });
    const whole = modelOf(byEpoch([3, 1, 2]));
    await fitLoop(whole.loop, planOf({ callbacks: [stop()] }));
    expect(whole.restored).toEqual([6]);
    const aborted = modelOf(byEpoch([3, 1, 2]));
    const controller = new AbortController();
    const abort = { onEpochBegin: (epoch: number) => (epoch === 2 ? controller.abort() : undefined) };
    const fitting = fitLoop(aborted.loop, planOf({ callbacks: [stop(), abort], signal: controller.signal }));
    await expect(fitting).rejects.toMatchObject({ code: 'ABORTED' });
    expect(aborted.restored).toEqual([]);
    const failing = modelOf(byEpoch([3, 1, 2]));
    const fail = {
      onEpochBegin(epoch: number) {
        if (epoch === 2) throw new Error('enough');
      },
    };
    await expect(fitLoop(failing.loop, planOf({ callbacks: [stop(), fail] }))).rejects.toThrow('enough');
    expect(failing.restored).toEqual([]);
  });

  it('names what it watches where the logs have no such number', async () => {
    const { loop } = modelOf(() => 1);
    const fitting = fitLoop(loop, planOf({ callbacks: [earlyStopping()] }));
    await expect(fitting).rejects.toThrow(
      'earlyStopping watches "val_loss", but the logs have loss, meanAbsoluteError.',
    );
  });

  it('reduceLROnPlateau lowers the rate, to a least one', async () => {
    const { loop, model } = modelOf(() => 1);
    const reduce = reduceLROnPlateau({ monitor: 'loss', factor: 0.5, patience: 1, minLearningRate: 0.03 });
    await fitLoop(loop, planOf({ epochs: 4, callbacks: [reduce] }));
    expect(model.learningRate).toBe(0.03);
  });

  it('learningRateScheduler sets the rate of each epoch', async () => {
    const { loop, model } = modelOf(() => 1);
    await fitLoop(loop, planOf({ epochs: 3, callbacks: [learningRateScheduler((epoch, rate) => rate / (epoch + 1))] }));
    expect(model.learningRate).toBeCloseTo(0.1 / 6);
  });

  it.each<[string, () => unknown, string]>([
    [
      'earlyStopping',
      () => earlyStopping({ patient: 3 } as object),
      'earlyStopping() has no option "patient"; it has monitor, mode, minDelta, patience, restoreBestWeights.',
    ],
    [
      'a mode',
      () => earlyStopping({ mode: 'least' as 'min' }),
      'the option mode = "least"; expected one of "min", "max"',
    ],
    [
      'modelCheckpoint',
      () => modelCheckpoint({ saveBest: true } as never),
      'modelCheckpoint() has no option "saveBest"',
    ],
    ['no address', () => modelCheckpoint({} as never), 'modelCheckpoint() lacks its option url: a text.'],
    ['reduceLROnPlateau', () => reduceLROnPlateau({ minLr: 1 } as object), 'reduceLROnPlateau() has no option "minLr"'],
    [
      'pruning',
      () => pruning({ finalSparsity: 0.5, end: 5 } as never),
      'pruning() has no option "end"; it has finalSparsity',
    ],
  ])('refuse what they do not take: %s', (_what, make, message) => {
    expect(make).toThrow(message);
  });

  it('logger writes CSV and JSON', async () => {
    const { loop } = modelOf(() => 0.5);
    const lines: string[] = [];
    const write = (line: string) => lines.push(line);
    await fitLoop(loop, planOf({ epochs: 1, callbacks: [logger(write), logger(write, 'json')] }));
    expect(lines).toEqual([
      'epoch,loss,meanAbsoluteError',
      '0,0.5,0.5',
      '{"epoch":0,"loss":0.5,"meanAbsoluteError":0.5}',
    ]);
  });
});

describe('pruning while training', () => {
  const prunedBy = async (options: PruningOptions, epochs = 3) => {
    const { loop, pruned } = modelOf(() => 1);
    await fitLoop(loop, planOf({ epochs, callbacks: [pruning(options)] }));
    return pruned.map((share) => Number((share as number).toFixed(3)));
  };

  it('takes much at first and little in the end', async () => {
    expect(await prunedBy({ finalSparsity: 0.8, endStep: 8, frequency: 2 })).toEqual([0.463, 0.7, 0.788, 0.8]);
  });

  it('takes a share of each layer, and keeps what the last time left', async () => {
    const { loop, pruned } = modelOf(() => 1);
    const callback = pruning({ finalSparsity: { one: 0.8, 'two/kernel': 0.4 }, endStep: 4, frequency: 2 });
    expect(callback.report).toBeUndefined();
    await fitLoop(loop, planOf({ epochs: 3, callbacks: [callback] }));
    expect(pruned).toEqual([
      { one: 0.8 * 0.875, 'two/kernel': 0.4 * 0.875 },
      { one: 0.8, 'two/kernel': 0.4 },
    ]);
    expect(callback.report?.left).toEqual({ 'conv/kernel': '2' });
  });

  it('begins and ends when it is told to', async () => {
    const options = { initialSparsity: 0.5, finalSparsity: 0.9, beginStep: 3, endStep: 6, frequency: 100 };
    expect(await prunedBy(options)).toEqual([0.5, 0.9]);
  });

  it('refuses a schedule that makes no sense', () => {
    expect(() => pruning({ finalSparsity: 1, endStep: 5 })).toThrow('below 1');
    expect(() => pruning({ finalSparsity: 0.5, initialSparsity: 0.6, endStep: 5 })).toThrow('lower sparsity');
    const shares = { one: 0.9, other: 0.5 };
    expect(() => pruning({ finalSparsity: shares, initialSparsity: 0.6, endStep: 5 })).toThrow('lower sparsity');
    expect(() => pruning({ finalSparsity: { one: 1 }, endStep: 5 })).toThrow('below 1');
    expect(() => pruning({ finalSparsity: {}, endStep: 5 })).toThrow('names no layer');
  });
});
