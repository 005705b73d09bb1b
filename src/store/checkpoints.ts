// Trained models in IndexedDB: one record a name, in a database of its own, never evicted to make room for downloads.
// Invariant: saving is one transaction, so a tab that is closed in the middle leaves what was there before.

import { del, entries, get, set } from 'idb-keyval';
import { LeptonError } from '../base/errors';
import { isQuotaError } from './database';
import { openStore } from './open-store';

export interface CheckpointInfo {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly savedAt: number;
}

export interface CheckpointStore {
  /** @throws STORAGE_QUOTA, UNSUPPORTED_OPERATION; what was there before stays then */
  save(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  load(name: string): Promise<Blob | undefined>;
  list(): Promise<CheckpointInfo[]>;
  /** Says whether there was one. */
  delete(name: string): Promise<boolean>;
}

interface CheckpointRecord {
  readonly savedAt: number;
  readonly blob: Blob;
}

export function createCheckpointStore(
  databaseName = 'lepton-checkpoints',
  now: () => number = Date.now,
): CheckpointStore {
  const store = openStore(databaseName, 'checkpoints');
  const use = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      if (isQuotaError(cause)) {
        throw new LeptonError(
          'STORAGE_QUOTA',
          `${what}: the origin's storage quota does not suffice. What was saved before is still there. ` +
            'Delete checkpoints or cached models.',
          { cause },
        );
      }
      const why = (cause as Error).message;
      throw new LeptonError('UNSUPPORTED_OPERATION', `${what}: the browser refuses IndexedDB here (${why}).`, {
        cause,
      });
    }
  };
  return {
    save: (name, bytes) =>
      use(`Saving the checkpoint "${name}"`, () => {
        const record: CheckpointRecord = { savedAt: now(), blob: new Blob([bytes]) };
        return set(name, record, store);
      }),
    load: (name) =>
      use(`Loading the checkpoint "${name}"`, async () => {
        return (await get<CheckpointRecord>(name, store))?.blob;
      }),
    list: () =>
      use('Listing the checkpoints', async () =>
        (await entries<string, CheckpointRecord>(store)).map(([name, { savedAt, blob }]) => ({
          name,
          bytes: blob.size,
          savedAt,
        })),
      ),
    delete: (name) =>
      use(`Deleting the checkpoint "${name}"`, async () => {
        const there = (await get<CheckpointRecord>(name, store)) !== undefined;
        await del(name, store);
        return there;
      }),
  };
}
