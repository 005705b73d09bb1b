// Reading by position and streaming over a file made of chunks, some of which may still be on their way.
// Invariant: at most three chunk buffers are in use at a time, taken from a pool; every byte given out
// was verified or came fresh from the network.

import type { BytePiece, ByteSource } from '../base/bytes';
import { LeptonError, throwIfAborted } from '../base/errors';
import type { BufferPool } from './buffers';

export interface ChunkSource {
  readonly url: string;
  readonly size: number | undefined;
  readonly chunkBytes: number;
  /** Resolves once the bytes before `end` are there, with `end` or the end of the file. */
  wait(end: number, signal: AbortSignal | undefined): Promise<number>;
  /** A chunk from its start on, as much of it as is in memory; valid until anything is awaited. */
  atHand(index: number): Uint8Array | undefined;
  /**
   * Reads bytes [from, to) of a chunk to the same place in a buffer of `chunkBytes`, whose other bytes
   * become arbitrary, and returns the buffer to use from then on.
   */
  load(index: number, from: number, to: number, buffer: ArrayBuffer, signal?: AbortSignal): Promise<ArrayBuffer>;
}

// One chunk is read and hashed while the reader works on another.
const chunksAhead = 2;

interface Loaded {
  readonly buffer: ArrayBuffer;
  readonly piece: BytePiece;
}

export class ChunkReader implements ByteSource {
  /** Whether any byte has been given out, or is about to be. */
  served = false;
  readonly #source: ChunkSource;
  readonly #pool: BufferPool;
  /** The chunk that `read` used last: readers of headers ask for many neighbouring ranges. */
  #window: { index: number; buffer: ArrayBuffer } | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(source: ChunkSource, pool: BufferPool) {
    this.#source = source;
    this.#pool = pool;
  }

  get size(): number | undefined {
    return this.#source.size;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const { url, chunkBytes } = this.#source;
    checkRange(url, offset, offset + length);
    const end = await this.#source.wait(offset + length, signal);
    this.served = true;
    const out = new Uint8Array(Math.max(0, end - offset));
    for (let at = offset; at < end; ) {
      const index = Math.floor(at / chunkBytes);
      const stop = Math.min(end, (index + 1) * chunkBytes);
      const target = out.subarray(at - offset, stop - offset);
      if (!this.#copyAtHand(at, target)) await this.#inTurn(() => this.#copyWindow(index, at, target, signal));
      at = stop;
    }
    return out;
  }

  async *stream(start: number, end: number, signal?: AbortSignal): AsyncGenerator<BytePiece, void> {
    const { url, chunkBytes } = this.#source;
    checkRange(url, start, end);
    const leaving = new AbortController();
    const either = signal ? AbortSignal.any([signal, leaving.signal]) : leaving.signal;
    const ahead: Promise<Loaded | undefined>[] = [];
    let at = start;
    let current: Loaded | undefined;
    try {
      for (;;) {
        while (ahead.length < chunksAhead && at < end) {
          const stop = Math.min(end, (Math.floor(at / chunkBytes) + 1) * chunkBytes);
          const loading = this.#load(at, stop, either);
          loading.catch(() => undefined); // told when its turn comes
          ahead.push(loading);
          at = stop;
        }
        throwIfAborted(signal, `Reading ${url}`);
        current = await ahead.shift();
        if (!current) return;
        yield current.piece;
        this.#pool.give(current.buffer);
        current = undefined;
      }
    } finally {
      leaving.abort();
      if (current) this.#pool.give(current.buffer);
      for (const loading of ahead) {
        const loaded = await loading.catch(() => undefined);
        if (loaded) this.#pool.give(loaded.buffer);
      }
    }
  }

  /** Hands the buffers back. */
  close(): void {
    void this.#inTurn(async () => {
      if (this.#window) this.#pool.give(this.#window.buffer);
      this.#window = undefined;
    });
  }

  /** The bytes [at, stop) of one chunk; undefined if the file ends before `at`. */
  async #load(at: number, stop: number, signal: AbortSignal): Promise<Loaded | undefined> {
    const { chunkBytes } = this.#source;
    const end = await this.#source.wait(stop, signal);
    if (end <= at) return undefined;
    this.served = true;
    let buffer = this.#pool.take(chunkBytes);
    const start = at % chunkBytes;
    if (!this.#copyAtHand(at, new Uint8Array(buffer, start, end - at))) {
      buffer = await this.#source.load(Math.floor(at / chunkBytes), start, start + end - at, buffer, signal);
    }
    return { buffer, piece: { offset: at, bytes: new Uint8Array(buffer, start, end - at) } };
  }

  #copyAtHand(at: number, target: Uint8Array): boolean {
    const { chunkBytes } = this.#source;
    const start = at % chunkBytes;
    const bytes = this.#source.atHand(Math.floor(at / chunkBytes));
    if (!bytes || start + target.length > bytes.length) return false;
    target.set(bytes.subarray(start, start + target.length));
    return true;
  }

  async #copyWindow(index: number, at: number, target: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const { chunkBytes } = this.#source;
    let window = this.#window;
    if (window?.index !== index) {
      const buffer = window?.buffer ?? this.#pool.take(chunkBytes);
      this.#window = undefined; // the buffer is the loader's now, and lost if it fails
      window = { index, buffer: await this.#source.load(index, 0, chunkBytes, buffer, signal) };
      this.#window = window;
    }
    target.set(new Uint8Array(window.buffer, at - index * chunkBytes, target.length));
  }

  /** One read at a time uses the window. */
  #inTurn<T>(body: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(body);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }
}

function checkRange(url: string, start: number, end: number): void {
  if (Number.isSafeInteger(start) && start >= 0 && end >= start) return;
  throw new LeptonError('INVALID_ARGUMENT', `Bytes ${start} to ${end} of ${url} are no range within a file.`, {
    details: { url, start, end },
  });
}
