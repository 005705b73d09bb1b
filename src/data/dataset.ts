// Samples to train on: a chain of what is to be done with them, which happens to each batch when it is read. Everything is
// decided by seeds: the same seeds, epoch and index give the same sample on every machine.

import { LeptonError } from '../base/errors';
import { Batches, type IterateOptions, repeatedEpoch, repeatedSize } from './batches';
import { oneHotRows } from './one-hot';
import { anySeed, requireCount, seeded, shuffledOrder } from './random';
import {
  fillRows,
  hasMissing,
  type MissingValues,
  type NormaliseKind,
  normaliseRows,
  type Statistics,
  statisticsOf,
} from './statistics';
import { joinBatches, mapBatch, rowOf } from './tensors';
import { turns } from './turns';
import type { Batch, Rows, Sample } from './types';

export interface ShuffleOptions {
  /** Samples among which each next one is drawn; default all. Smaller keeps neighbours nearer. */
  readonly bufferSize?: number;
  /** Default: another one each time the page runs. */
  readonly seed?: number;
  /** Default true: every epoch has an order of its own. */
  readonly reshuffleEachIteration?: boolean;
}

export interface BatchOptions {
  /** Samples in a batch. */
  readonly size: number;
  /** Leaves out a last batch that is not full. Default false. */
  readonly dropRemainder?: boolean;
}

export interface SampleContext {
  /** Place of the sample in the data set that `map` was called on. */
  readonly index: number;
  readonly epoch: number;
  /** Uniform in [0, 1), the same for the same seed, epoch and index: for augmentation. */
  readonly random: () => number;
}

/** How many samples are read at once where one or all of them are wanted: photographs are large. */
const stride = 64;

export class Dataset implements AsyncIterable<Sample> {
  #epoch = 0;

  /** For other sources than those of this library: whatever can read samples by index. */
  constructor(readonly rows: Rows) {}

  /** Samples in an epoch; Infinity after `repeat()`. */
  get size(): number {
    return this.rows.size;
  }

  /**
   * Every sample replaced by what `change` makes of it, anew in each epoch: the place for augmentation, with the
   * context's random numbers. Slower than `Batches.map`, which sees whole batches.
   */
  map(
    change: (sample: Sample, context: SampleContext) => Sample | Promise<Sample>,
    { seed = anySeed() }: { readonly seed?: number } = {},
  ): Dataset {
    return this.reading(async (indices, epoch, signal) => {
      const batch = await this.rows.read(indices, epoch, signal);
      const samples = indices.map((index, i) =>
        change(sampleOf(batch, i), { index, epoch, random: seeded(seed, epoch, index) }),
      );
      return joinBatches(await Promise.all(samples), true);
    });
  }

  /** @throws INVALID_ARGUMENT for data that repeats without end: shuffle first */
  shuffle(options: ShuffleOptions = {}): Dataset {
    const { bufferSize = Math.max(1, this.size), seed = anySeed(), reshuffleEachIteration = true } = options;
    const { size } = this;
    if (size === Number.POSITIVE_INFINITY) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        'shuffle(): the data repeats without end; call shuffle() before repeat().',
      );
    }
    requireCount('shuffle(): bufferSize', bufferSize, 1);
    // Two epochs: a batch that is prefetched may be of the next one.
    const orders = new Map<number, Uint32Array>();
    const orderOf = (epoch: number): Uint32Array => {
      const key = reshuffleEachIteration ? epoch : 0;
      let order = orders.get(key);
      if (!order) {
        order = shuffledOrder(size, bufferSize, seeded(seed, key));
        if (orders.size > 1) orders.delete(orders.keys().next().value as number);
        orders.set(key, order);
      }
      return order;
    };
    return this.choosing(size, (index, epoch) => orderOf(epoch)[index] as number, reshuffleEachIteration);
  }

  /** The first `count` samples. */
  take(count: number): Dataset {
    return this.choosing(Math.min(this.size, requireCount('take(): the count', count, 0)), (index) => index);
  }

  /** All but the first `count` samples. */
  skip(count: number): Dataset {
    requireCount('skip(): the count', count, 0);
    return this.choosing(Math.max(0, this.size - count), (index) => index + count);
  }

  /** The samples at these indices, in this order. */
  select(indices: ArrayLike<number>): Dataset {
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i] as number;
      if (!Number.isSafeInteger(index) || index < 0 || index >= this.size) {
        throw new LeptonError('INVALID_ARGUMENT', `select(): there is no sample ${index}; there are ${this.size}.`);
      }
    }
    return this.choosing(indices.length, (i) => indices[i] as number);
  }

  /** The epochs after each other as one, `count` of them or without end. */
  repeat(count = Number.POSITIVE_INFINITY): Dataset {
    const { rows } = this;
    const read = async (indices: readonly number[], epoch: number, signal?: AbortSignal): Promise<Batch> => {
      const parts: Batch[] = [];
      for (let from = 0; from < indices.length; ) {
        const repetition = Math.floor((indices[from] as number) / rows.size);
        let to = from + 1;
        while (to < indices.length && Math.floor((indices[to] as number) / rows.size) === repetition) to++;
        const own = indices.slice(from, to).map((index) => index % rows.size);
        parts.push(await rows.read(own, repeatedEpoch(epoch, count, repetition), signal));
        from = to;
      }
      return parts.length === 1 ? (parts[0] as Batch) : joinBatches(parts, false);
    };
    return new Dataset({ size: repeatedSize(rows.size, count), reshuffles: rows.reshuffles, read });
  }

  /** Every `count`-th sample from `index`: the share of one of `count` workers. All shards together are the data. */
  shard(index: number, count: number): Dataset {
    requireCount('shard(): the count', count, 1);
    if (requireCount('shard(): the index', index, 0) >= count) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        `shard(): the index must be below the count, but is ${index} of ${count}.`,
      );
    }
    return this.choosing(Math.max(0, Math.ceil((this.size - index) / count)), (i) => index + i * count);
  }

  /**
   * The first `fraction` of the samples, and the rest: to train on, and to validate with.
   * @param seed draws both at random; without it they are as the data is ordered, as a series needs
   * @throws INVALID_ARGUMENT for data that is shuffled anew in each epoch, where samples would change sides
   */
  split(fraction: number, { seed }: { readonly seed?: number } = {}): [Dataset, Dataset] {
    if (!(fraction > 0 && fraction < 1)) {
      throw new LeptonError('INVALID_ARGUMENT', `split(): the fraction must lie between 0 and 1, but is ${fraction}.`);
    }
    if (this.rows.reshuffles) {
      throw new LeptonError(
        'INVALID_ARGUMENT',
        'split(): the data is shuffled anew in each epoch, so samples would move between the two parts. Split first, or shuffle with { reshuffleEachIteration: false }.',
      );
    }
    const all = seed === undefined ? this : this.shuffle({ seed, reshuffleEachIteration: false });
    const first = Math.round(this.size * fraction);
    return [all.take(first), all.skip(first)];
  }

  batch({ size, dropRemainder = false }: BatchOptions): Batches {
    requireCount('batch(): the size', size, 1);
    const { rows } = this;
    const read = (index: number, epoch: number, signal?: AbortSignal) =>
      rows.read(range(index * size, Math.min(rows.size, (index + 1) * size)), epoch, signal);
    return new Batches(read, dropRemainder ? Math.floor(rows.size / size) : Math.ceil(rows.size / size));
  }

  /**
   * Class numbers as vectors of zeros with a one: float32, with a last dimension of `classes`.
   * @param of which tensor: 'ys' unless told, 'ys.kind' or 'xs.kind' where there are several
   * @throws INVALID_DATA (when read) for a label that is no whole number from 0 to classes − 1
   */
  oneHot(classes: number, { of = 'ys' }: { readonly of?: string } = {}): Dataset {
    return new Dataset(oneHotRows(this.rows, requireCount('oneHot(): classes', classes, 1), of));
  }

  /** Mean, deviation and bounds of every feature (the last dimension) over the whole data, read once. */
  async statistics(options: { readonly signal?: AbortSignal } = {}): Promise<Statistics> {
    return statisticsOf(this.chunks(options.signal));
  }

  /**
   * Every feature brought to mean 0 and deviation 1, or to the range 0 to 1, by statistics of the data that is trained on:
   * use the same for training, validation and prediction.
   * @param statistics those of a tensor that has none here leave it as it is
   */
  normalise(statistics: Statistics, { kind = 'standard' }: { readonly kind?: NormaliseKind } = {}): Dataset {
    return new Dataset(normaliseRows(this.rows, statistics, kind));
  }

  /** Missing values (NaN) replaced by a constant, or by the means of the data that is trained on. */
  fillMissing(by: MissingValues): Dataset {
    return new Dataset(fillRows(this.rows, by));
  }

  /** The samples without missing values (NaN), which takes one look at all of them. */
  async dropMissing(options: { readonly signal?: AbortSignal } = {}): Promise<Dataset> {
    if (this.rows.reshuffles) {
      throw new LeptonError('INVALID_ARGUMENT', 'dropMissing(): call it before shuffle(), which moves samples.');
    }
    const whole: number[] = [];
    let from = 0;
    for await (const batch of this.chunks(options.signal)) {
      const missing = hasMissing(batch);
      missing.forEach((isMissing, i) => {
        if (!isMissing) whole.push(from + i);
      });
      from += missing.length;
    }
    return this.select(whole);
  }

  async *iterate({ epoch = 0, from = 0, signal }: IterateOptions = {}): AsyncGenerator<Sample, void, undefined> {
    let skipped = from % stride;
    for await (const batch of this.batch({ size: stride }).iterate({
      epoch,
      from: Math.floor(from / stride),
      ...(signal && { signal }),
    })) {
      for (let i = skipped; i < countOf(batch); i++) yield sampleOf(batch, i);
      skipped = 0;
    }
  }

  /** Each iteration is the next epoch. */
  [Symbol.asyncIterator](): AsyncGenerator<Sample, void, undefined> {
    return this.iterate({ epoch: this.#epoch++ });
  }

  private async *chunks(signal: AbortSignal | undefined): AsyncGenerator<Batch> {
    if (this.size === Number.POSITIVE_INFINITY) {
      throw new LeptonError('INVALID_ARGUMENT', 'The data repeats without end: look at all of it before repeat().');
    }
    const turn = turns();
    for await (const batch of this.batch({ size: stride }).iterate(signal ? { signal } : {})) {
      yield batch;
      await turn();
    }
  }

  private reading(read: Rows['read']): Dataset {
    return new Dataset({ ...this.rows, read });
  }

  private choosing(
    size: number,
    choose: (index: number, epoch: number) => number,
    reshuffles = this.rows.reshuffles,
  ): Dataset {
    const { rows } = this;
    const read: Rows['read'] = (indices, epoch, signal) =>
      rows.read(
        indices.map((index) => choose(index, epoch)),
        epoch,
        signal,
      );
    return new Dataset({ size, reshuffles: reshuffles || rows.reshuffles, read });
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

function sampleOf(batch: Batch, index: number): Sample {
  return mapBatch(batch, (tensor) => rowOf(tensor, index));
}

function countOf(batch: Batch): number {
  let count = 0;
  mapBatch(batch, (tensor) => {
    count = tensor.dims[0] as number;
    return tensor;
  });
  return count;
}
