// Batches in order, each made when its turn comes or a few ahead of it. Batch i of epoch e is always the same, so
// that training which broke off goes on where it was.

import { abortError, LeptonError, throwIfAborted } from '../base/errors';
import { requireCount } from './random';
import type { Batch } from './types';

export interface IterateOptions {
  /** Which epoch: others have other orders and other augmentation. Default 0. */
  readonly epoch?: number;
  /** Where to begin: how many batches (or samples) to leave out, which costs nothing. Default 0. */
  readonly from?: number;
  readonly signal?: AbortSignal;
}

type ReadBatch = (index: number, epoch: number, signal?: AbortSignal) => Batch | Promise<Batch>;

export class Batches implements AsyncIterable<Batch> {
  #epoch = 0;

  /** @internal Made by `Dataset.batch`. */
  constructor(
    private readonly read: ReadBatch,
    /** Batches in an epoch; Infinity where the data repeats without end. */
    readonly size: number,
    private readonly ahead = 0,
  ) {}

  /** Every batch replaced by what `change` makes of it: faster than a map over samples. */
  map(change: (batch: Batch, context: { readonly index: number; readonly epoch: number }) => Batch | Promise<Batch>) {
    return this.with(async (index, epoch, signal) => change(await this.read(index, epoch, signal), { index, epoch }));
  }

  /** Keeps up to `count` batches under way while the one before them is used: worth it where reading waits. */
  prefetch(count: number): Batches {
    return new Batches(this.read, this.size, requireCount('prefetch(): the count', count, 0));
  }

  /** The first `count` batches. */
  take(count: number): Batches {
    return this.with(this.read, Math.min(this.size, requireCount('take(): the count', count, 0)));
  }

  /** All but the first `count` batches. */
  skip(count: number): Batches {
    requireCount('skip(): the count', count, 0);
    return this.with((index, ...rest) => this.read(index + count, ...rest), Math.max(0, this.size - count));
  }

  /** The epochs after each other as one, `count` of them or without end. No batch holds samples of two. */
  repeat(count = Number.POSITIVE_INFINITY): Batches {
    const { size } = this;
    return this.with(
      (index, epoch, signal) => this.read(index % size, repeatedEpoch(epoch, count, Math.floor(index / size)), signal),
      repeatedSize(size, count),
    );
  }

  /** @throws ABORTED, and what reading throws: a prefetched batch only when its turn comes */
  async *iterate({ epoch = 0, from = 0, signal }: IterateOptions = {}): AsyncGenerator<Batch, void, undefined> {
    const underWay: Promise<Batch>[] = [];
    let next = from;
    for (let index = from; index < this.size; index++) {
      while (next < this.size && underWay.length <= this.ahead) {
        const batch = this.start(next++, epoch, signal);
        // It is thrown where it is waited for, which a consumer that stops early never does.
        batch.catch(() => {});
        underWay.push(batch);
      }
      yield await (underWay.shift() as Promise<Batch>);
    }
  }

  /** Each iteration is the next epoch. */
  [Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    return this.iterate({ epoch: this.#epoch++ });
  }

  private async start(index: number, epoch: number, signal: AbortSignal | undefined): Promise<Batch> {
    throwIfAborted(signal, 'Reading the data');
    try {
      return await this.read(index, epoch, signal);
    } catch (error) {
      throw signal?.aborted ? abortError(signal, 'Reading the data') : error;
    }
  }

  private with(read: ReadBatch, size = this.size): Batches {
    return new Batches(read, size, this.ahead);
  }
}

export function repeatedSize(size: number, count: number): number {
  if (count !== Number.POSITIVE_INFINITY) requireCount('repeat(): the count', count, 0);
  if (size === Number.POSITIVE_INFINITY && count !== 1) {
    throw new LeptonError('INVALID_ARGUMENT', 'repeat(): the data already repeats without end.');
  }
  return size === 0 ? 0 : size * count;
}

/** Repetitions are epochs of their own: they shuffle and augment anew. */
export function repeatedEpoch(epoch: number, count: number, repetition: number): number {
  return (count === Number.POSITIVE_INFINITY ? epoch : epoch * count) + repetition;
}
