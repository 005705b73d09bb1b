// Makes room in the origin's storage quota by removing stored files, least recently used first. Files
// that some page has open hold a shared lock, and are never removed. Invariant: nothing more is removed
// while the browser may still be freeing what was removed before.

import { LeptonError } from '../base/errors';
import { isQuotaError, type WeightDatabase } from './database';
import { acquire, type LockNames } from './locks';
import { heldBytes, type Manifest } from './manifest';

// Browsers free the bytes of removed Blobs late: Firefox once no page has a handle of them any more, private
// windows of Chromium perhaps never. Milliseconds.
const freeingDelays = [100, 300, 1000, 2000, 4000];

/** What is to be written, in bytes. */
export interface Need {
  readonly url: string;
  readonly size: number;
  /** How much of it is not in the store yet. */
  readonly missing: number;
  /** Ends waiting for the browser. */
  readonly signal: AbortSignal;
}

export interface Quota {
  /**
   * Removes files until what is missing should fit. Throws STORAGE_QUOTA, with nothing removed, when all
   * that may go would not suffice.
   */
  makeRoom(need: Need): Promise<void>;
  /** Runs a write, and again with files removed while the browser refuses it for the quota. */
  write<T>(need: Need, body: () => Promise<T>): Promise<T>;
}

export interface QuotaDependencies {
  readonly database: WeightDatabase;
  readonly storage: StorageManager | undefined;
  readonly locks: LockManager;
  readonly lockNames: LockNames;
}

export function quotaKeeper({ database, storage, locks, lockNames }: QuotaDependencies): Quota {
  // Writes are refused several at a time; room must be made for one before the next is looked at.
  let turn: Promise<unknown> = Promise.resolve();
  /** The next delay to wait after the last removal. */
  let waited = freeingDelays.length;

  async function candidates(): Promise<Manifest[]> {
    const [files, parts, { held = [] }] = await Promise.all([database.files(), database.parts(), locks.query()]);
    const inUse = new Set(held.map((lock) => lock.name));
    return [...files, ...parts].filter(({ id }) => !inUse.has(lockNames.use(id)));
  }

  /** Whether any was removed. */
  async function evict(manifests: readonly Manifest[]): Promise<boolean> {
    let any = false;
    for (const { url, id } of manifests) {
      const release = await acquire(locks, lockNames.use(id), { ifAvailable: true });
      if (!release) continue; // opened in the meantime
      any = (await database.remove(url, id).finally(release)) || any;
    }
    if (any) waited = 0;
    return any;
  }

  /** False if the last removal was so long ago that waiting is of no use. */
  async function waitForFreeing(signal: AbortSignal): Promise<boolean> {
    const delay = freeingDelays[waited];
    if (delay === undefined || signal.aborted) return false;
    waited++;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      signal.addEventListener('abort', () => resolve(clearTimeout(timer)), { once: true });
    });
    return true;
  }

  async function writeInTurn<T>(need: Need, body: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await body();
      } catch (error) {
        if (!isQuotaError(error) || need.signal.aborted) throw error;
        if (await waitForFreeing(need.signal)) continue;
        const files = await candidates();
        if (!(await evict(chooseEvictions(files, need.missing) ?? files))) {
          throw quotaError(need, await estimateOf(storage), error);
        }
      }
    }
  }

  return {
    async makeRoom(need) {
      const estimate = await estimateOf(storage);
      const short = need.missing - roomIn(estimate);
      if (short <= 0) return;
      const chosen = chooseEvictions(await candidates(), short);
      if (!chosen) throw quotaError(need, estimate);
      await evict(chosen);
      // If the estimate stays as it is, the browser's refusal will tell.
      while (roomIn(await estimateOf(storage)) < need.missing && (await waitForFreeing(need.signal)));
    },
    async write(need, body) {
      try {
        return await body();
      } catch (error) {
        if (!isQuotaError(error)) throw error;
      }
      const again = turn.then(() => writeInTurn(need, body));
      turn = again.catch(() => undefined);
      return again;
    },
  };
}

/** The least recently used files that hold at least `bytes` together; undefined if all of them do not. */
export function chooseEvictions(files: readonly Manifest[], bytes: number): Manifest[] | undefined {
  const chosen: Manifest[] = [];
  let freed = 0;
  for (const file of [...files].sort((a, b) => a.lastUsedAt - b.lastUsedAt)) {
    if (freed >= bytes) break;
    chosen.push(file);
    freed += heldBytes(file);
  }
  return freed >= bytes ? chosen : undefined;
}

/** What the browser says of the origin's storage; nothing where it does not say. */
export async function estimateOf(storage: StorageManager | undefined): Promise<StorageEstimate> {
  try {
    return (await storage?.estimate()) ?? {};
  } catch {
    return {}; // opaque origins
  }
}

function roomIn({ quota, usage }: StorageEstimate): number {
  return (quota ?? Number.POSITIVE_INFINITY) - (usage ?? 0);
}

function quotaError({ url, size }: Need, { quota, usage }: StorageEstimate, cause?: unknown): LeptonError {
  const state = quota === undefined ? '' : ` Of a quota of ${quota} bytes, ${usage ?? 0} are used.`;
  return new LeptonError(
    'STORAGE_QUOTA',
    `Storing ${url} needs ${size} bytes, which the browser does not grant this site, even if all stored ` +
      `models that are not in use made room.${state} Load it with { cache: false }, or free some storage.`,
    { cause, details: { url, needed: size, quota, usage } },
  );
}
