// Takes a download's bytes: gathers pieces of any length into buffers of a chunk, puts full chunks on the
// shelf, hashes the whole where an integrity is asked for, and tells readers how far it has come.
// Invariant: bytes [0, position) are readable, from the shelf or from the gathering buffer.

import { LeptonError } from '../base/errors';
import type { Arrival } from './arrival';
import type { BufferPool } from './buffers';
import type { Receiver } from './download';
import type { Version } from './http';
import { checkIntegrity, createHasher, type Hasher, type Integrity } from './integrity';
import { recordedBytes } from './manifest';
import type { Shelf } from './shelf';

/**
 * Told at most about 200 times a file. `total` is undefined where the server does not say; `loaded` begins
 * with what an earlier download left, and falls only where the file has changed and is fetched anew.
 */
export interface Progress {
  loaded: number;
  total: number | undefined;
  origin: 'network' | 'store';
}

export interface IngestOptions {
  readonly url: string;
  readonly shelf: Shelf;
  readonly arrival: Arrival;
  readonly pool: BufferPool;
  readonly integrity: Integrity | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  /** Whether a reader has been given bytes already. */
  readonly served: () => boolean;
  /** There is no room for the file: it need not go on. */
  readonly onRefused: (why: LeptonError) => void;
}

const noBuffer = new ArrayBuffer(0);

export class Ingest implements Receiver {
  version: Version | undefined;
  /** Resolves when a server has answered with the file. */
  readonly accepted: Promise<void>;
  readonly #options: IngestOptions;
  readonly #chunkBytes: number;
  #accept: () => void = () => undefined;
  #buffer = noBuffer;
  #chunk: number;
  #filled = 0;
  /** Names the bytes taken so far, in the pool. */
  #content = {};
  #hasher: Hasher | undefined;
  #told = Number.NEGATIVE_INFINITY;

  /** Continues after the chunks that the shelf's manifest records. */
  constructor(options: IngestOptions) {
    const { shelf, arrival } = options;
    const { manifest } = shelf;
    this.#options = options;
    this.#chunkBytes = manifest.chunkBytes;
    this.#chunk = manifest.digests.length;
    this.accepted = new Promise((resolve) => {
      this.#accept = resolve;
    });
    if (this.#chunk > 0) this.version = { total: manifest.size, validator: manifest.validator };
    arrival.expect(manifest.size);
    arrival.reach(recordedBytes(manifest));
  }

  get position(): number {
    return Math.min(this.#chunk * this.#chunkBytes + this.#filled, this.version?.total ?? Number.POSITIVE_INFINITY);
  }

  /** A chunk from its start on, as much as is in memory: the one that is gathered, and those that were lately. */
  atHand(index: number): Uint8Array<ArrayBuffer> | undefined {
    return index === this.#chunk ? this.#gathered : this.#options.pool.recall(this.#content, index);
  }

  /** Prepares the hasher for what an earlier download left. Before the first byte is written. */
  async begin(stored: AsyncIterable<{ bytes: Uint8Array }>): Promise<void> {
    const { integrity } = this.#options;
    if (!integrity) return;
    this.#hasher = createHasher(integrity.algorithm);
    for await (const { bytes } of stored) this.#hasher.update(bytes);
  }

  accept(version: Version): void {
    const { shelf, arrival, onRefused } = this.#options;
    this.version = version;
    arrival.expect(version.total);
    this.#tell();
    // Bytes come in while room is made for them.
    shelf.prepare(version).then(this.#accept, onRefused);
  }

  async restart(): Promise<void> {
    const { url, shelf, arrival, integrity, served } = this.#options;
    if (served()) {
      throw new LeptonError('NETWORK', `${url} changed on its server while it was downloaded. Load it again.`, {
        details: { url, received: this.position, total: this.version?.total },
      });
    }
    await shelf.restart();
    arrival.reach(0);
    this.version = undefined;
    this.#content = {};
    this.#chunk = 0;
    this.#filled = 0;
    this.#told = Number.NEGATIVE_INFINITY;
    if (integrity) this.#hasher = createHasher(integrity.algorithm);
  }

  async write(piece: Uint8Array): Promise<void> {
    this.#hasher?.update(piece);
    for (let at = 0; at < piece.length; ) {
      if (this.#buffer === noBuffer) this.#buffer = this.#options.pool.take(this.#chunkBytes);
      const part = piece.subarray(at, at + this.#chunkBytes - this.#filled);
      new Uint8Array(this.#buffer).set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      this.#options.arrival.reach(this.position);
      if (this.#filled === this.#chunkBytes) await this.#shelve();
    }
    this.#tell();
  }

  /** The download has ended: checks the integrity and commits. Throws INTEGRITY_MISMATCH or STORAGE_QUOTA. */
  async finish(): Promise<void> {
    const { url, shelf, arrival, integrity } = this.#options;
    const size = this.position;
    shelf.measured(size);
    this.version = { total: size, validator: this.version?.validator };
    const digest = this.#hasher?.digest();
    if (integrity && digest !== undefined) checkIntegrity(url, integrity, digest);
    if (this.#filled > 0) await this.#shelve();
    await shelf.commit(integrity && digest !== undefined ? { [integrity.algorithm]: digest } : {});
    arrival.end();
    this.#tell();
  }

  /** Hands the buffer back, when nothing more will be written; what did not fill a chunk is gone. */
  release(): void {
    const { pool, arrival } = this.#options;
    if (this.#filled > 0) arrival.reach(this.#chunk * this.#chunkBytes);
    this.#filled = 0;
    pool.give(this.#buffer);
    this.#buffer = noBuffer;
  }

  get #gathered(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#buffer, 0, this.#filled);
  }

  async #shelve(): Promise<void> {
    const { shelf, pool } = this.#options;
    await shelf.add(this.#chunk, this.#gathered);
    pool.give(this.#buffer, { of: this.#content, index: this.#chunk, length: this.#filled });
    this.#buffer = noBuffer;
    this.#chunk++;
    this.#filled = 0;
  }

  #tell(): void {
    const { onProgress } = this.#options;
    if (!onProgress) return;
    const loaded = this.position;
    const total = this.version?.total;
    const step = Math.max(65_536, (total ?? 0) / 200);
    if (loaded === this.#told || (loaded < this.#told + step && loaded !== total)) return;
    this.#told = loaded;
    onProgress({ loaded, total, origin: 'network' });
  }
}
