import { describe, expect, test } from 'vitest';
import { Tensor } from '../api/tensor';
import type { LeptonErrorCode } from '../base/errors';
import type { TensorLike } from '../base/tensor-like';
import { fromArrays } from './arrays';
import type { Batches } from './batches';
import type { Dataset } from './dataset';
import type { Batch } from './types';

/** `size` samples of [i, 10·i] with the label i. */
function counting(size: number): Dataset {
  return fromArrays({
    xs: Array.from({ length: size }, (_, i) => [i, 10 * i]),
    ys: Int32Array.from({ length: size }, (_, i) => i),
  });
}

const values = (part: Batch['xs'] | undefined): number[] => Array.from((part as TensorLike).data as Float32Array);

async function collect(source: AsyncIterable<Batch>): Promise<Batch[]> {
  const out: Batch[] = [];
  for await (const batch of source) out.push(batch);
  return out;
}

async function labels(source: AsyncIterable<Batch>): Promise<number[][]> {
  return (await collect(source)).map(({ ys }) => values(ys));
}

async function refused(action: () => unknown, code: LeptonErrorCode, message: RegExp): Promise<void> {
  await expect((async () => action())()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
}

describe('fromArrays', () => {
  test('takes lists, typed arrays, tensors and records of them', async () => {
    const data = fromArrays({
      xs: {
        a: [
          [1, 2],
          [3, 4],
        ],
        b: new Tensor('uint8', new Uint8Array([5, 6]), [2, 1]),
      },
      ys: new Float64Array([7, 8]),
      sampleWeight: [1, 0.5],
    });
    expect(data.size).toBe(2);
    const [, second] = await collect(data);
    expect(second).toEqual({
      xs: {
        a: { type: 'float32', dims: [2], data: new Float32Array([3, 4]) },
        b: { type: 'uint8', dims: [1], data: new Uint8Array([6]) },
      },
      ys: { type: 'float32', dims: [], data: new Float32Array([8]) },
      sampleWeight: { type: 'float32', dims: [], data: new Float32Array([0.5]) },
    });
  });

  test('names what does not fit', async () => {
    await refused(() => fromArrays({ xs: [[1, 2], [3]] }), 'INVALID_ARGUMENT', /xs\[1\] has 1 entries.* 2/);
    await refused(() => fromArrays({ xs: [[1], 2] }), 'INVALID_ARGUMENT', /xs\[1\] is 2/);
    await refused(() => fromArrays({ xs: [1, [2]] }), 'INVALID_ARGUMENT', /xs\[1\] is \[2\]/);
    await refused(() => fromArrays({ xs: [1, 2], ys: [1] }), 'INVALID_ARGUMENT', /ys has 1 samples, but xs has 2/);
    await refused(() => fromArrays({ xs: {} }), 'INVALID_ARGUMENT', /no tensors/);
    const short = { type: 'float32', dims: [3], data: new Float32Array(2) } as const;
    await refused(
      () => fromArrays({ xs: { a: short } }),
      'INVALID_ARGUMENT',
      /xs\.a of shape \[3\] has 3 elements.* 2/,
    );
    await refused(() => fromArrays({ xs: 'text' as never }), 'INVALID_ARGUMENT', /xs must be a tensor/);
  });

  test('has no samples where its arrays have none', async () => {
    expect(await labels(counting(0).batch({ size: 4 }))).toEqual([]);
    await refused(() => counting(0).statistics(), 'INVALID_DATA', /no samples/);
  });
});

describe('Dataset', () => {
  test('batches, with and without the remainder', async () => {
    expect(await labels(counting(5).batch({ size: 2 }))).toEqual([[0, 1], [2, 3], [4]]);
    const full = counting(5).batch({ size: 2, dropRemainder: true });
    expect(full.size).toBe(2);
    expect(await labels(full)).toEqual([
      [0, 1],
      [2, 3],
    ]);
    const [first] = await collect(counting(5).batch({ size: 2 }));
    expect(first?.xs).toEqual({ type: 'float32', dims: [2, 2], data: new Float32Array([0, 0, 1, 10]) });
  });

  test('shuffles: all samples, another order each epoch, the same for the same seed', async () => {
    const shuffled = () => counting(100).shuffle({ seed: 7 }).batch({ size: 100 });
    const once = shuffled();
    const [first, second] = [(await labels(once))[0], (await labels(once))[0]];
    expect(first).not.toEqual(second);
    expect(first?.toSorted((a, b) => a - b)).toEqual((await labels(counting(100).batch({ size: 100 })))[0]);
    const again = shuffled();
    expect([(await labels(again))[0], (await labels(again))[0]]).toEqual([first, second]);
    expect((await labels(again.iterate({ epoch: 1 })))[0]).toEqual(second);
    const fixed = counting(100).shuffle({ seed: 7, reshuffleEachIteration: false }).batch({ size: 100 });
    expect(await labels(fixed)).toEqual(await labels(fixed));
  });

  test('every order is equally likely', async () => {
    const counts = new Map<string, number>();
    const shuffled = counting(4).shuffle({ seed: 3 }).batch({ size: 4 });
    for (let i = 0; i < 6000; i++) {
      const order = String((await labels(shuffled))[0]);
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // 250 expected each, with a deviation of 15.5.
    for (const count of counts.values()) expect(Math.abs(count - 250)).toBeLessThan(75);
  });

  test('a small buffer moves samples forward by less than its size', async () => {
    const order = (
      await labels(counting(200).shuffle({ seed: 1, bufferSize: 10 }).batch({ size: 200 }))
    )[0] as number[];
    expect(new Set(order).size).toBe(200);
    order.forEach((sample, place) => {
      expect(sample - place).toBeLessThan(10);
    });
  });

  test('takes, skips, selects, shards and repeats', async () => {
    const all = async (data: Dataset) => (await labels(data.batch({ size: 100 })))[0];
    expect(await all(counting(5).skip(1).take(3))).toEqual([1, 2, 3]);
    expect(await all(counting(5).take(9))).toEqual([0, 1, 2, 3, 4]);
    expect(await all(counting(5).select([4, 0, 4]))).toEqual([4, 0, 4]);
    expect([await all(counting(5).shard(0, 2)), await all(counting(5).shard(1, 2))]).toEqual([
      [0, 2, 4],
      [1, 3],
    ]);
    expect(counting(1).shard(1, 2).size).toBe(0);
    expect(await labels(counting(3).repeat(2).batch({ size: 4 }))).toEqual([
      [0, 1, 2, 0],
      [1, 2],
    ]);
    expect(await labels(counting(3).repeat().batch({ size: 4 }).take(2))).toEqual([
      [0, 1, 2, 0],
      [1, 2, 0, 1],
    ]);
    expect(await labels(counting(3).batch({ size: 2 }).repeat(2))).toEqual([[0, 1], [2], [0, 1], [2]]);
    expect(await labels(counting(7).batch({ size: 2 }).skip(1).take(2))).toEqual([
      [2, 3],
      [4, 5],
    ]);
  });

  test('repetitions are epochs, with orders of their own', async () => {
    const shuffled = counting(50).shuffle({ seed: 5 });
    const epochs = shuffled.batch({ size: 50 });
    const repeated = shuffled.repeat(2).batch({ size: 100 });
    const order = (await labels(repeated))[0];
    expect(order).toEqual((await labels(epochs.repeat(2))).flat());
    expect((await labels(repeated))[0]).toEqual(
      [...(await labels(epochs.iterate({ epoch: 2 }))), ...(await labels(epochs.iterate({ epoch: 3 })))].flat(),
    );
  });

  test('shards of shuffled data are the data', async () => {
    const shuffled = counting(31).shuffle({ seed: 2 });
    const parts = await Promise.all([0, 1, 2].map((i) => labels(shuffled.shard(i, 3).batch({ size: 40 }))));
    expect(parts.flat(2).toSorted((a, b) => a - b)).toEqual((await labels(counting(31).batch({ size: 31 })))[0]);
  });

  test('splits, in order or at random, and never what is shuffled anew', async () => {
    const whole = async (parts: Dataset[]) =>
      Promise.all(parts.map(async (p) => (await labels(p.batch({ size: 99 })))[0]));
    expect(await whole(counting(5).split(0.6))).toEqual([
      [0, 1, 2],
      [3, 4],
    ]);
    const [train, rest] = await whole(counting(50).split(0.8, { seed: 1 }));
    expect(train).toHaveLength(40);
    expect(rest).not.toEqual([40, 41, 42, 43, 44, 45, 46, 47, 48, 49]);
    expect(new Set([...(train as number[]), ...(rest as number[])]).size).toBe(50);
    await refused(() => counting(5).shuffle().split(0.5), 'INVALID_ARGUMENT', /Split first/);
    await refused(() => counting(5).split(2), 'INVALID_ARGUMENT', /between 0 and 1/);
  });

  test('maps samples with random numbers of their own', async () => {
    const noisy = counting(6).map(
      ({ ys }, { random }) => ({
        xs: { type: 'float32', dims: [1], data: new Float32Array([random()]) },
        ...(ys && { ys }),
      }),
      { seed: 4 },
    );
    const read = async (data: Batches, epoch: number) => values((await collect(data.iterate({ epoch })))[0]?.xs);
    const first = await read(noisy.batch({ size: 6 }), 0);
    expect(new Set(first).size).toBe(6);
    expect(await read(noisy.batch({ size: 6 }), 0)).toEqual(first);
    expect(await read(noisy.batch({ size: 6 }), 1)).not.toEqual(first);
    // The same sample has the same numbers wherever it comes.
    expect(await read(noisy.select([5, 0]).batch({ size: 2 }), 0)).toEqual([first[5], first[0]]);
  });

  test('says which samples of a batch do not agree', async () => {
    const ragged = counting(3).map(({ ys }, { index }) => ({
      xs: { type: 'float32', dims: [index + 1], data: new Float32Array(index + 1) },
      ...(ys && { ys }),
    }));
    await refused(() => labels(ragged.batch({ size: 3 })), 'INVALID_INPUT', /xs of sample 1 is float32 \[2\].*\[1\]/);
    const partial = counting(2).map(({ xs, ys }, { index }) => ({ xs, ...(ys && index === 0 && { ys }) }));
    await refused(() => labels(partial.batch({ size: 2 })), 'INVALID_INPUT', /Sample 1 has no ys/);
  });

  test('refuses counts that are none', async () => {
    await refused(() => counting(3).batch({ size: 0 }), 'INVALID_ARGUMENT', /batch\(\): the size .* from 1, but is 0/);
    await refused(() => counting(3).shard(3, 3), 'INVALID_ARGUMENT', /below the count/);
    await refused(() => counting(3).repeat().shuffle(), 'INVALID_ARGUMENT', /before repeat/);
    await refused(() => counting(3).repeat().repeat(), 'INVALID_ARGUMENT', /already repeats/);
    await refused(() => counting(3).select([3]), 'INVALID_ARGUMENT', /no sample 3/);
    await refused(() => counting(3).repeat().statistics(), 'INVALID_ARGUMENT', /without end/);
  });

  test('can begin anywhere, and stops when asked to', async () => {
    const batches = counting(10).shuffle({ seed: 1 }).batch({ size: 3 });
    const all = await labels(batches.iterate({ epoch: 4 }));
    expect(await labels(batches.iterate({ epoch: 4, from: 2 }))).toEqual(all.slice(2));
    const samples = await labels(counting(3000).iterate({ from: 2998 }));
    expect(samples).toEqual([[2998], [2999]]);
    const abort = new AbortController();
    await refused(
      async () => {
        for await (const _ of batches.iterate({ signal: abort.signal })) abort.abort();
      },
      'ABORTED',
      /Reading the data was aborted/,
    );
  });
});

describe('prefetch', () => {
  test('keeps batches under way, in order, and no more than asked for', async () => {
    let underWay = 0;
    let most = 0;
    const slow = counting(20)
      .batch({ size: 2 })
      .map(async (batch) => {
        most = Math.max(most, ++underWay);
        await new Promise((resolve) => setTimeout(resolve, 2));
        underWay--;
        return batch;
      })
      .prefetch(3);
    expect((await labels(slow)).flat()).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(most).toBe(4);
  });

  test('throws an error when its batch would come', async () => {
    const failing = counting(4)
      .batch({ size: 1 })
      .map((batch, { index }) => {
        if (index === 2) throw new Error('no third');
        return batch;
      })
      .prefetch(4);
    const seen: number[] = [];
    await expect(
      (async () => {
        for await (const { ys } of failing) seen.push(...values(ys));
      })(),
    ).rejects.toThrow('no third');
    expect(seen).toEqual([0, 1]);
  });
});

describe('oneHot', () => {
  test('makes vectors of labels', async () => {
    const data = fromArrays({ xs: [1, 2], ys: new Int32Array([2, 0]) }).oneHot(3);
    const [batch] = await collect(data.batch({ size: 2 }));
    expect(batch?.ys).toEqual({ type: 'float32', dims: [2, 3], data: new Float32Array([0, 0, 1, 1, 0, 0]) });
    const columns = fromArrays({ xs: { kind: [[1], [0]] } }).oneHot(2, { of: 'xs.kind' });
    const [other] = await collect(columns.batch({ size: 2 }));
    expect(other?.xs).toEqual({ kind: { type: 'float32', dims: [2, 2], data: new Float32Array([0, 1, 1, 0]) } });
  });

  test('names the sample whose label is out of range', async () => {
    const data = fromArrays({ xs: [0, 0, 0], ys: [0, 1, 5] })
      .skip(1)
      .oneHot(3);
    await refused(() => labels(data.batch({ size: 2 })), 'INVALID_DATA', /label of sample 1 in ys is 5/);
    await refused(
      () =>
        labels(
          fromArrays({ xs: [0] })
            .oneHot(3)
            .batch({ size: 1 }),
        ),
      'INVALID_ARGUMENT',
      /no tensor "ys"/,
    );
  });
});

describe('statistics', () => {
  const nan = Number.NaN;
  const table = () =>
    fromArrays({
      xs: [
        [1, 1000],
        [2, nan],
        [3, 3000],
        [100, 0],
      ],
      ys: [1, 2, 3, 4],
    });

  test('are of the features, missing values aside', async () => {
    const { xs, ys } = await table().take(3).statistics();
    expect(xs).toEqual({
      mean: [2, 2000],
      deviation: [Math.sqrt(2 / 3), 1000],
      min: [1, 1000],
      max: [3, 3000],
      missing: [0, 1],
    });
    expect(ys).toBeUndefined();
  });

  test('of large values do not lose the small differences between them', async () => {
    const xs = Float32Array.from({ length: 5000 }, (_, i) => 1e6 + (i % 2));
    const { xs: own } = await fromArrays({ xs }).statistics();
    expect(own?.mean[0]).toBeCloseTo(1e6 + 0.5, 6);
    expect(own?.deviation[0]).toBeCloseTo(0.5, 6);
  });

  test('of the training part prepare both parts', async () => {
    const [train, test] = table().split(0.75);
    const statistics = await train.statistics();
    const ready = test.fillMissing(statistics).normalise(statistics, { kind: 'minMax' });
    const [batch] = await collect(ready.batch({ size: 1 }));
    expect(values(batch?.xs)).toEqual([49.5, -0.5]);
    expect(values(batch?.ys)).toEqual([4]);
    const [standard] = await collect(train.fillMissing(statistics).normalise(statistics).batch({ size: 3 }));
    expect(values(standard?.xs)).toEqual([-Math.sqrt(1.5), -1, 0, 0, Math.sqrt(1.5), 1].map(Math.fround));
    await refused(
      () =>
        labels(
          fromArrays({ xs: [[1]], ys: [1] })
            .normalise(statistics)
            .batch({ size: 1 }),
        ),
      'INVALID_ARGUMENT',
      /2 features, but the samples have 1/,
    );
  });

  test('a feature that never changes becomes 0', async () => {
    const data = fromArrays({ xs: [[5], [5]] });
    const statistics = await data.statistics();
    for (const kind of ['standard', 'minMax'] as const) {
      const [batch] = await collect(data.normalise(statistics, { kind }).batch({ size: 2 }));
      expect(values(batch?.xs)).toEqual([0, 0]);
    }
  });

  test('missing values are filled, or their samples dropped', async () => {
    const [batch] = await collect(table().fillMissing(-1).batch({ size: 4 }));
    expect(values(batch?.xs)).toEqual([1, 1000, 2, -1, 3, 3000, 100, 0]);
    const whole = await table().dropMissing();
    expect(await labels(whole.batch({ size: 4 }))).toEqual([[1, 3, 4]]);
  });
});

test('an epoch of MNIST, shuffled, takes well under a second of processor time', async () => {
  const xs: TensorLike = { type: 'float32', dims: [60_000, 28, 28], data: new Float32Array(60_000 * 784) };
  const data = fromArrays({ xs, ys: new Int32Array(60_000) })
    .shuffle({ seed: 1 })
    .batch({ size: 128 });
  const start = process.cpuUsage();
  let count = 0;
  for await (const { ys } of data) count += (ys as TensorLike).data.length;
  expect(count).toBe(60_000);
  // Microseconds.
  expect(process.cpuUsage(start).user).toBeLessThan(1e6);
});
