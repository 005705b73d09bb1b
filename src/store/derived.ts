// What was made from a stored file and can be made again, such as plans and packed weights: kept in chunks
// beside the file, deleted and evicted with it. Invariants: a record is visible only once all of it is stored; only
// bytes that match their digests come out; nothing is evicted to make room; no write ever rejects.

import type { ByteSource } from '../base/bytes';
import { LeptonError } from '../base/errors';
import { type BufferPool, readBlob } from './buffers';
import { ChunkReader } from './chunk-reader';
import type { WeightDatabase } from './database';
import { chunkDigest } from './integrity';
import type { Manifest } from './manifest';

export interface Derived {
  /** The whole record; undefined where there is none, or it is damaged: it is removed then. */
  get(key: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** The record to read piece by piece. A damaged one rejects with CACHE_CORRUPT and is removed. */
  source(key: string): Promise<ByteSource | undefined>;
  /** Stores a record in the place of one with the same key; says whether it is there. */
  put(key: string, bytes: Pick<ByteSource, 'read'> & { readonly size: number }): Promise<boolean>;
  remove(key: string): Promise<void>;
}

export interface DerivedOptions {
  readonly database: WeightDatabase;
  readonly manifest: Pick<Manifest, 'id' | 'url' | 'chunkBytes'>;
  readonly pool: BufferPool;
  readonly now: () => number;
  /** Of Lepton: what another one made is not found, and goes when this one stores something. */
  readonly build: string;
}

export function derivedFrom({ database, manifest, pool, now, build }: DerivedOptions): Derived {
  const { id, url, chunkBytes } = manifest;

  async function sourceOf(key: string): Promise<ByteSource | undefined> {
    const place = { id, build, key };
    const found = await database.derived(place).catch(() => undefined);
    if (!found) return undefined;
    const { record, chunks } = found;
    const verified = new Set<number>();
    const { size, digests } = record;
    const damaged = (cause?: unknown) => {
      void database.removeDerived(place).catch(() => undefined);
      const message = `What Lepton had stored beside ${url} is damaged, and is removed.`;
      return new LeptonError('CACHE_CORRUPT', message, { cause, details: { url } });
    };
    return new ChunkReader(
      {
        url,
        size,
        chunkBytes: record.chunkBytes,
        wait: async (end) => Math.min(end, size),
        atHand: () => undefined,
        async load(index, _from, _to, buffer) {
          const blob = chunks[index];
          const expected = Math.min(record.chunkBytes, size - index * record.chunkBytes);
          if (blob?.size !== expected) throw damaged();
          const memory = await readBlob(blob, buffer).catch((cause: unknown) => Promise.reject(damaged(cause)));
          if (verified.has(index)) return memory;
          if ((await chunkDigest(new Uint8Array(memory, 0, expected))) !== digests[index]) throw damaged();
          verified.add(index);
          return memory;
        },
      },
      pool,
    );
  }

  return {
    source: sourceOf,
    async get(key) {
      const source = await sourceOf(key);
      try {
        return await source?.read(0, source.size as number);
      } catch {
        return undefined;
      }
    },
    async put(key, bytes) {
      const place = { id, build, key };
      const { size } = bytes;
      const digests: string[] = [];
      try {
        if (size > 0 && size <= chunkBytes) {
          const whole = await bytes.read(0, size);
          const record = { size, chunkBytes, digests: [await chunkDigest(whole)], storedAt: now() };
          return await database.putDerived(place, url, record, new Blob([whole]));
        }
        if (!(await database.beginDerived(place, url))) return false;
        for (let offset = 0; offset < size; offset += chunkBytes) {
          const chunk = await bytes.read(offset, Math.min(chunkBytes, size - offset));
          if (!(await database.addDerivedChunk(place, url, digests.length, new Blob([chunk])))) return false;
          digests.push(await chunkDigest(chunk));
        }
        return await database.commitDerived(place, url, { size, chunkBytes, digests, storedAt: now() });
      } catch {
        // No room, no database any more, or no bytes: the next visit makes it again.
        await database.removeDerived(place).catch(() => undefined);
        return false;
      }
    },
    async remove(key) {
      await database.removeDerived({ id, build, key }).catch(() => undefined);
    },
  };
}
