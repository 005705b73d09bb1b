// A file opened from the store or being downloaded, as the rest of Lepton sees it: a ByteSource that can
// be read at once, and a promise that says when all of it is there. Only `complete` vouches for the
// integrity option; bytes read before it are what the server sent.

import type { BytePiece, ByteSource } from '../base/bytes';
import { abortError, LeptonError } from '../base/errors';
import { Arrival } from './arrival';
import type { BufferPool } from './buffers';
import { ChunkReader } from './chunk-reader';
import type { Derived } from './derived';
import { type Connection, download } from './download';
import { Ingest, type Progress } from './ingest';
import type { Integrity } from './integrity';
import type { Shelf } from './shelf';

/** Reads and streams wait for a download; they reject with its error, or DISPOSED after `close`. */
export interface OpenFile extends ByteSource {
  readonly url: string;
  /** What tells this download of the URL from any other; undefined where the file is not to be stored. */
  readonly id: string | undefined;
  readonly origin: 'network' | 'store';
  /** Whether the file is in the store, or will be once `complete` resolves. */
  readonly stored: boolean;
  /** What Lepton's `build` made of the file and keeps beside it; undefined where the file is not to be stored. */
  derived(build: string): Derived | undefined;
  /** All bytes are there, verified and, if they are cached, committed. Need not be awaited. */
  readonly complete: Promise<void>;
  /** Stops a running download; finished chunks stay in the store, for the next one to go on from. */
  cancel(reason?: LeptonError): void;
  /** Cancels, and lets go of all bytes held in memory. */
  close(): void;
}

export interface FileParts {
  readonly url: string;
  readonly shelf: Shelf;
  readonly pool: BufferPool;
  readonly derived: ((build: string) => Derived) | undefined;
  /** Runs once, when the file is closed. */
  readonly onClose: () => void;
}

export interface Transfer {
  readonly connection: Connection;
  readonly integrity: Integrity | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  /** Runs once, when the download has ended in any way. */
  readonly onEnd: () => void;
}

export function openStored(parts: FileParts, size: number): OpenFile {
  const arrival = new Arrival();
  arrival.reach(size);
  arrival.end();
  return new ChunkedFile(parts, 'store', arrival, undefined);
}

/** Resolves when the server has answered with the file. Throws what the download throws before that. */
export async function openDownload(parts: FileParts, transfer: Transfer): Promise<OpenFile> {
  const file = new ChunkedFile(parts, 'network', new Arrival(), transfer);
  try {
    await file.answered;
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

class ChunkedFile implements OpenFile {
  readonly url: string;
  readonly origin: 'network' | 'store';
  readonly complete: Promise<void>;
  readonly answered: Promise<void>;
  readonly #parts: FileParts;
  readonly #arrival: Arrival;
  readonly #reader: ChunkReader;
  readonly #stopping = new AbortController();
  #ingest: Ingest | undefined;
  #closed = false;

  constructor(parts: FileParts, origin: 'network' | 'store', arrival: Arrival, transfer: Transfer | undefined) {
    const { url, shelf, pool } = parts;
    this.url = url;
    this.origin = origin;
    this.#parts = parts;
    this.#arrival = arrival;
    this.#reader = new ChunkReader(this.#chunks(), pool);
    if (!transfer) {
      this.complete = Promise.resolve();
      this.answered = this.complete;
      return;
    }
    const { integrity, onProgress } = transfer;
    const served = () => this.#reader.served;
    const onRefused = (why: LeptonError) => this.#stop(why);
    const ingest = new Ingest({ url, shelf, arrival, pool, integrity, onProgress, served, onRefused });
    this.#ingest = ingest;
    this.complete = this.#run(ingest, transfer);
    this.complete.catch(() => undefined); // whoever wants to know awaits it
    this.answered = Promise.race([ingest.accepted, this.complete]);
  }

  get size(): number | undefined {
    return this.#arrival.size;
  }

  get id(): string | undefined {
    return this.stored ? this.#parts.shelf.manifest.id : undefined;
  }

  get stored(): boolean {
    return this.#parts.shelf.stored;
  }

  derived(build: string): Derived | undefined {
    return this.stored ? this.#parts.derived?.(build) : undefined;
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    this.#assertOpen();
    return this.#reader.read(offset, length, signal);
  }

  stream(start: number, end: number, signal?: AbortSignal): AsyncIterable<BytePiece> {
    this.#assertOpen();
    return this.#reader.stream(start, end, signal);
  }

  cancel(reason = new LeptonError('ABORTED', `Downloading ${this.url} was cancelled.`)): void {
    this.#stop(reason);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#arrival.fail(disposed(this.url), true);
    this.cancel();
    this.#reader.close();
    this.#parts.shelf.close();
    this.#parts.onClose();
  }

  async #run(ingest: Ingest, { connection, integrity, signal, onEnd }: Transfer): Promise<void> {
    const { shelf } = this.#parts;
    const abort = () => this.#stop(signal && abortError(signal, `Downloading ${this.url}`));
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
    try {
      if (integrity) await this.#hashResumed(ingest);
      await download({ ...connection, signal: this.#stopping.signal }, ingest);
      await ingest.finish();
      ingest.release();
    } catch (error) {
      ingest.release();
      const failure = asFailure(error, this.url);
      const nothingKept = failure.code === 'INTEGRITY_MISMATCH' || failure.code === 'STORAGE_QUOTA';
      this.#arrival.fail(failure, nothingKept);
      await (nothingKept ? shelf.discard() : shelf.settle()).catch(() => undefined);
      throw failure;
    } finally {
      signal?.removeEventListener('abort', abort);
      onEnd();
    }
  }

  #stop(reason: LeptonError | undefined): void {
    this.#stopping.abort(reason);
    this.#parts.shelf.stop();
  }

  async #hashResumed(ingest: Ingest): Promise<void> {
    // A reader of its own: what it reads is not served to anybody yet, so that all may start over.
    const reader = new ChunkReader(this.#chunks(), this.#parts.pool);
    try {
      await ingest.begin(reader.stream(0, ingest.position, this.#stopping.signal));
    } catch (error) {
      if (!(error instanceof LeptonError && error.code === 'CACHE_CORRUPT')) throw error;
      await ingest.restart();
    }
  }

  #chunks() {
    const { url, shelf } = this.#parts;
    const arrival = this.#arrival;
    const atHand = (index: number) => this.#ingest?.atHand(index);
    return {
      url,
      get size() {
        return arrival.size;
      },
      chunkBytes: shelf.manifest.chunkBytes,
      wait: (end: number, signal: AbortSignal | undefined) => arrival.wait(end, signal, `Reading ${url}`),
      atHand,
      load: shelf.load.bind(shelf),
    };
  }

  #assertOpen(): void {
    if (this.#closed) throw disposed(this.url);
  }
}

function disposed(url: string): LeptonError {
  return new LeptonError('DISPOSED', `${url} was closed; open it again to read it.`);
}

function asFailure(error: unknown, url: string): LeptonError {
  if (error instanceof LeptonError) return error;
  return new LeptonError('NETWORK', `Downloading ${url} failed: ${String(error)}`, { cause: error });
}
