// Where a file's finished chunks are: in IndexedDB, or (not cached, or the database failed) held as Blobs
// until the file is closed. Chunks go in in order, up to four writes in flight, and come out verified
// against their SHA-256; a damaged or missing one is fetched again and put back. Invariant: nothing is
// visible as a stored file before `commit`.

import { LeptonError } from '../base/errors';
import { readBlob } from './buffers';
import type { WeightDatabase } from './database';
import { type Connection, fetchRange } from './download';
import type { Version } from './http';
import { chunkDigest } from './integrity';
import { type CompleteManifest, chunkSpan, type Manifest, recordedBytes } from './manifest';
import type { Need, Quota } from './quota';

const writesInFlight = 4;

export interface Storage {
  readonly database: WeightDatabase;
  readonly quota: Quota;
}

export class Shelf {
  #manifest: Manifest;
  readonly #storage: Storage | undefined;
  readonly #connection: Connection;
  /** False from the start, or once the database failed or lost the file. */
  #storing: boolean;
  /** Whether the database has a record for this download. */
  #recorded: boolean;
  #failure: LeptonError | undefined;
  /** Chunks whose bytes need no check: fresh from the network, or handles of verified stored ones. */
  readonly #held = new Map<number, Blob>();
  /** What `prepare` does, which the rest waits for. Never rejects. */
  #prepared: Promise<void> = Promise.resolve();
  readonly #writes = new Set<Promise<void>>();
  readonly #stopping = new AbortController();

  /** A manifest with chunks is one that the database has. Without `storage`, Blobs are all there is. */
  constructor(manifest: Manifest, connection: Connection, storage: Storage | undefined) {
    this.#manifest = manifest;
    this.#recorded = manifest.digests.length > 0;
    this.#connection = connection;
    this.#storage = storage;
    this.#storing = storage !== undefined;
  }

  /** Whether the chunks are in the store, or on their way. */
  get stored(): boolean {
    return this.#storing;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  /** Takes note of what a server says of the file, and makes room for the bytes missing. Throws STORAGE_QUOTA. */
  async prepare({ total, validator }: Version): Promise<void> {
    this.#manifest = { ...this.#manifest, size: total, validator };
    const prepare = () =>
      this.#tryToStore(async ({ database, quota }) => {
        if (total !== undefined) await quota.makeRoom(this.#need());
        if (!this.#recorded) await database.begin(this.#manifest);
        this.#recorded = true;
      });
    this.#prepared = this.#prepared.then(prepare);
    await this.#prepared;
    this.#throwFailure();
  }

  /** The file has ended: its size is certain now. */
  measured(size: number): void {
    this.#manifest = { ...this.#manifest, size };
  }

  /** Adds the next chunk. Its bytes may be overwritten once this resolves. Throws STORAGE_QUOTA. */
  async add(index: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    // Whoever has waited for these bytes comes first: browsers copy and hash on the thread that asks for it.
    await new Promise((resume) => setTimeout(resume));
    const blob = new Blob([bytes]);
    this.#held.set(index, blob);
    if (!this.#storing) return;
    await this.#prepared;
    this.#throwFailure();
    const digest = await chunkDigest(bytes);
    this.#manifest = { ...this.#manifest, digests: [...this.#manifest.digests, digest] };
    while (this.#writes.size >= writesInFlight) await Promise.race(this.#writes);
    this.#throwFailure();
    const write = this.#write(index, blob).finally(() => this.#writes.delete(write));
    this.#writes.add(write);
  }

  /** Waits for the running writes. Throws STORAGE_QUOTA if one of them did not fit. */
  async settle(): Promise<void> {
    await this.#idle();
    this.#throwFailure();
  }

  /** Forgets every chunk, to start over with the store as it is. */
  async restart(): Promise<void> {
    await this.#idle();
    this.#storing = this.#storage !== undefined;
    this.#held.clear();
    this.#manifest = { ...this.#manifest, digests: [] };
    this.#recorded = false;
  }

  /** Makes the measured file visible in the store. Throws STORAGE_QUOTA. */
  async commit(integrity: Manifest['integrity']): Promise<void> {
    await this.settle();
    this.#manifest = { ...this.#manifest, integrity };
    await this.#tryToStore(async ({ database }) => {
      if (!(await database.commit(this.#manifest as CompleteManifest))) this.#storing = false;
    });
    this.#throwFailure();
  }

  /** Removes everything from the store. */
  async discard(): Promise<void> {
    await this.#idle();
    this.#storing = false;
    this.#held.clear();
    await this.#storage?.database.remove(this.#manifest.url, this.#manifest.id);
  }

  /**
   * Reads bytes [from, to) of a chunk to the same place in a buffer of `chunkBytes` and returns the buffer
   * to use from then on. The first time it reads and verifies the chunk whole. Throws CACHE_CORRUPT or ABORTED.
   */
  async load(index: number, from: number, to: number, buffer: ArrayBuffer, signal?: AbortSignal): Promise<ArrayBuffer> {
    const { url, chunkBytes, digests } = this.#manifest;
    const { start, end } = chunkSpan(this.#manifest, index);
    const digest = digests[index];
    let memory: ArrayBuffer | undefined = buffer;
    const held = this.#held.get(index);
    if (held) {
      memory = await tryToRead(held.slice(from, to), memory, from);
      if (memory) return memory;
      this.#held.delete(index);
    }
    const stored = await this.#stored(index);
    if (stored?.size === end - start) {
      memory = await tryToRead(stored, memory ?? new ArrayBuffer(chunkBytes), 0);
      if (memory && (await chunkDigest(new Uint8Array(memory, 0, stored.size))) === digest) {
        this.#held.set(index, stored);
        return memory;
      }
    }
    if (digest === undefined) {
      throw new LeptonError('CACHE_CORRUPT', `The browser lost bytes ${start} to ${end} of ${url}. Load it again.`);
    }
    memory ??= new ArrayBuffer(chunkBytes);
    await this.#repair(index, new Uint8Array(memory, 0, end - start), digest, signal);
    return memory;
  }

  /** Ends waiting for room; what is being written still is. */
  stop(): void {
    this.#stopping.abort();
  }

  close(): void {
    this.#held.clear();
  }

  async #idle(): Promise<void> {
    await this.#prepared;
    await Promise.all(this.#writes);
  }

  async #stored(index: number): Promise<Blob | undefined> {
    return this.#storage?.database.chunk(this.#manifest.id, index).catch(() => undefined);
  }

  async #repair(
    index: number,
    target: Uint8Array<ArrayBuffer>,
    digest: string,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { url, id, size, validator } = this.#manifest;
    const { start, end } = chunkSpan(this.#manifest, index);
    const details = { url, start, end };
    let same: boolean;
    try {
      const connection = { ...this.#connection, signal };
      const fetched = await fetchRange(connection, { total: size, validator }, start, target);
      same = fetched && (await chunkDigest(target)) === digest;
    } catch (cause) {
      if (!(cause instanceof LeptonError && cause.code === 'NETWORK')) throw cause;
      throw new LeptonError(
        'CACHE_CORRUPT',
        `Bytes ${start} to ${end} of the stored ${url} are damaged and could not be fetched again: ${cause.message}`,
        { cause, details },
      );
    }
    if (!same) {
      this.#storing = false;
      await this.#storage?.database.remove(url, id);
      throw new LeptonError(
        'CACHE_CORRUPT',
        `The stored ${url} is damaged, and its server now has another version, so it was removed from the ` +
          'store. Load it again.',
        { details },
      );
    }
    const blob = new Blob([target]);
    this.#held.set(index, blob);
    // The bytes are right wherever they are: a store that cannot take them now is repaired next time.
    await this.#storage?.database.replaceChunk(this.#manifest, index, blob).catch(() => undefined);
  }

  async #write(index: number, blob: Blob): Promise<void> {
    await this.#tryToStore(async ({ database }) => {
      if (await database.addChunk(this.#manifest, index, blob)) this.#held.delete(index);
      else this.#storing = false; // somebody deleted the file: it stays deleted, and is held here
    });
  }

  #need(): Need {
    const { url, size, chunkBytes } = this.#manifest;
    const recorded = recordedBytes(this.#manifest);
    const flying = this.#writes.size * chunkBytes;
    const whole = size ?? recorded + chunkBytes;
    return { url, size: whole, missing: Math.min(whole, whole - recorded + flying), signal: this.#stopping.signal };
  }

  /** Never rejects: a full quota is kept for `#throwFailure`, any other failure ends the storing. */
  async #tryToStore(body: (storage: Storage) => Promise<void>): Promise<void> {
    const storage = this.#storage;
    if (!storage || !this.#storing || this.#failure) return;
    try {
      await storage.quota.write(this.#need(), () => body(storage));
    } catch (error) {
      if (error instanceof LeptonError) this.#failure = error;
      else this.#storing = false;
    }
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure;
  }
}

/** The buffer with the Blob's bytes, or undefined: then they cannot be read, and the buffer is gone. */
async function tryToRead(blob: Blob, buffer: ArrayBuffer, at: number): Promise<ArrayBuffer | undefined> {
  try {
    return await readBlob(blob, buffer, at);
  } catch {
    return undefined;
  }
}
