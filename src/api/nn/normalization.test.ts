// Normalization takes mean and variance from whatever data is given to it, and says when that is too late.

import { describe, expect, it } from 'vitest';
import { type Batch, fromArrays } from '../../data';
import { describe as describeModel } from '../../nn/build';
import * as layers from './layers';
import { sequential } from './network';

const x = [
  [1, 10],
  [3, 10],
  [5, 40],
  [7, 40],
];
const closeTo = (values: number[]) => values.map((value) => expect.closeTo(value, 9));
const adapted = { mean: closeTo([4, 25]), variance: closeTo([5, 225]) };
const whole = fromArrays({ xs: x, ys: [0, 1, 2, 3] });

describe('Normalization', () => {
  it.each([
    ['lists', x],
    ['a tensor', { type: 'float32' as const, dims: [4, 2], data: Float32Array.from(x.flat()) }],
    ['a data set', whole],
    ['batches', whole.shuffle().batch({ size: 3 })],
    ['any batches', anyBatches()],
  ])('adapts to %s', async (_what, data) => {
    const layer = await layers.normalization({ inputShape: [2] }).adapt(data);
    const model = sequential([layer, layers.dense({ units: 1 })]);
    expect(model.spec.layers[0]).toMatchObject({ name: 'normalization', config: adapted });
    expect(describeModel(model.spec).outputs[0]?.shape).toEqual([null, 1]);
  });

  it('adapts in place, again and again, and leaves out what is missing', async () => {
    const layer = layers.normalization({ inputShape: [2], name: 'scale' });
    const model = sequential([layer]);
    await layer.adapt([[Number.NaN, 0], ...x]);
    expect(model.spec.layers[0]?.config).toEqual({ mean: closeTo([4, 20]), variance: closeTo([5, 280]) });
    await layer.adapt(x);
    expect(model.spec.layers[0]?.config).toEqual(adapted);
  });

  it('needs to be adapted, or both numbers', () => {
    for (const options of [{}, { mean: 1 }]) {
      const model = sequential([layers.normalization({ inputShape: [2], ...options })]);
      expect(() => describeModel(model.spec)).toThrow('"normalization" (Normalization) has no mean and variance: call');
    }
    const given = sequential([layers.normalization({ inputShape: [2], mean: 1, variance: [1, 2] })]);
    expect(describeModel(given.spec).outputs[0]?.shape).toEqual([null, 2]);
  });

  it('refuses data of several inputs, data without end, and to change what is settled', async () => {
    const layer = layers.normalization({ inputShape: [2], name: 'scale' });
    await expect(layer.adapt(fromArrays({ xs: { a: x, b: x } }))).rejects.toThrow('one input, but it has xs.a, xs.b');
    await expect(layer.adapt(whole.repeat())).rejects.toThrow('without end');
    await expect(layer.adapt(whole.batch({ size: 2 }).repeat())).rejects.toThrow('data that ends');
    await expect(layer.adapt([])).rejects.toMatchObject({ name: 'LeptonError' });
    layer.isSettled = true;
    await expect(layer.adapt(x)).rejects.toThrow('The model of scale has its weights already');
  });
});

async function* anyBatches(): AsyncGenerator<Batch> {
  yield* whole.batch({ size: 2 });
}
