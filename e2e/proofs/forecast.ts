// How cold will tomorrow be? Ten years of daily minimum temperatures in Melbourne: a convolution and an LSTM look at some
// weeks and forecast the next day, against the naive forecast that it is as today. Measured on the last fifth of the time.

import { readFileSync } from 'node:fs';
import * as layers from '../../src/api/nn/layers';
import { sequential } from '../../src/api/nn/network';
import { fromArrays, fromCSV } from '../../src/data';
import { dataPath } from '../support/data';
import { type Context, type Measured, type Proof, progress } from './proof';

export const forecast: Proof = {
  about: 'Conv1D and LSTM on daily temperatures, against the naive forecast (errors in °C)',
  claims: {
    small: { rootMeanSquaredError: { below: 'naive' } },
    full: { rootMeanSquaredError: { below: 'naive' } },
  },
  run,
};

const batchSize = 64;

async function run({ training, full, log }: Context): Promise<Measured> {
  const days = full ? 30 : 14;
  const temperatures = await series();
  const windows = temperatures.length - days;
  const trained = Math.floor(0.8 * windows);
  const seen = temperatures.subarray(0, trained + days);
  const mean = seen.reduce((a, b) => a + b, 0) / seen.length;
  const deviation = Math.sqrt(seen.reduce((sum, t) => sum + (t - mean) ** 2, 0) / seen.length);
  const scaled = temperatures.map((t) => (t - mean) / deviation);

  const xs = new Float32Array(windows * days);
  for (let i = 0; i < windows; i++) xs.set(scaled.subarray(i, i + days), i * days);
  const all = fromArrays({ xs: { type: 'float32', dims: [windows, days, 1], data: xs }, ys: scaled.slice(days) });
  const [train, test] = [all.take(trained), all.skip(trained)];

  const model = sequential([
    layers.conv1d({ filters: 16, kernelSize: 5, padding: 'causal', activation: 'relu', inputShape: [days, 1] }),
    layers.lstm({ units: full ? 32 : 16 }),
    layers.dense({ units: 1 }),
  ]);
  await training.build(model, 1);
  const metrics = ['rootMeanSquaredError'] as const;
  model.compile({ optimizer: { name: 'adam', learningRate: 0.005 }, loss: 'meanSquaredError', metrics });
  const batches = train.shuffle({ seed: 1 }).batch({ size: batchSize, dropRemainder: true });
  await model.fit(batches, { epochs: full ? 12 : 5, callbacks: [progress(log)] });
  const results = await model.evaluate(test.batch({ size: test.size }));
  await model.dispose();

  let squares = 0;
  for (let i = trained + days; i < temperatures.length; i++) {
    squares += ((temperatures[i] as number) - (temperatures[i - 1] as number)) ** 2;
  }
  return {
    rootMeanSquaredError: (results.rootMeanSquaredError as number) * deviation,
    naive: Math.sqrt(squares / test.size),
  };
}

async function series(): Promise<Float32Array> {
  const file = readFileSync(dataPath('datasets', 'timeseries', 'daily-min-temperatures.csv'));
  const table = await fromCSV(file, { features: ['Temp'] });
  const values: number[] = [];
  for await (const { xs } of table) values.push(Number((xs as { data: ArrayLike<number> }).data[0]));
  return Float32Array.from(values);
}
