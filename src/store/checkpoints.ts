// Trained models in IndexedDB: one record a name, in a database of its own, never evicted to make room for downloads.
// Invariant: saving is one transaction, so a tab that is closed in the middle leaves what was there before.

import { createStore, del, entries, get, set, type UseStore } from 'idb-keyval';
import { LeptonError } from '../base/errors';
import { isQuotaError } from './database';

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
  let opened: UseStore | undefined;
  const use = async <T>(what: string, work: (store: UseStore) => Promise<T>): Promise<T> => {
    try {
      opened ??= createStore(databaseName, 'checkpoints');
      return await work(opened);
    } catch (cause) {
      opened = undefined;
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
      use(`Saving the checkpoint "${name}"`, (store) => {
        const record: CheckpointRecord = { savedAt: now(), blob: new Blob([bytes]) };
        return set(name, record, store);
      }),
    load: (name) =>
      use(`Loading the checkpoint "${name}"`, async (store) => {
        return (await get<CheckpointRecord>(name, store))?.blob;
      }),
    list: () =>
      use('Listing the checkpoints', async (store) =>
        (await entries<string, CheckpointRecord>(store)).map(([name, { savedAt, blob }]) => ({
          name,
          bytes: blob.size,
          savedAt,
        })),
      ),
    delete: (name) =>
      use(`Deleting the checkpoint "${name}"`, async (store) => {
        const there = (await get<CheckpointRecord>(name, store)) !== undefined;
        await del(name, store);
        return there;
      }),
  };
}
