// What was measured of adapters, kept in IndexedDB: one record an adapter, in a database of its own, since it
// belongs to no file. Invariants: a record of another version of Lepton, or one that is damaged, is as good as
// none; the records stay few and small; no method rejects, because a page can do without them.

import { clear, del, entries, update } from 'idb-keyval';
import type { AdapterRates, Choice, Tuning } from '../base/tuning';
import { openStore } from './open-store';

export interface TuningStore {
  /** Everything known, by adapter. */
  read(): Promise<ReadonlyMap<string, Tuning>>;
  /** Adds what was found out; what another tab added stays. */
  add(adapter: string, found: Tuning): Promise<void>;
  clear(): Promise<void>;
}

export interface TuningStoreOptions {
  /** Lepton's: another one has other kernels. */
  readonly version: string;
  readonly databaseName?: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface TuningRecord {
  readonly version: string;
  readonly savedAt: number;
  readonly rates?: AdapterRates;
  readonly choices: readonly (readonly [string, Choice])[];
}

/** A browser sees few adapters; driver updates make new ones of old. */
const mostAdapters = 8;
/** A model poses about 30 problems for every combination of input shapes. */
const mostChoices = 2000;

export function createTuningStore({
  version,
  databaseName = 'lepton-tuning',
  now = Date.now,
}: TuningStoreOptions): TuningStore {
  const store = openStore(databaseName, 'adapters');
  const quietly = async <T>(otherwise: T, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch {
      return otherwise; // storage is forbidden or full, or does not open
    }
  };
  return {
    read: () =>
      quietly(new Map<string, Tuning>(), async () => {
        const found = await entries<string, unknown>(store);
        return new Map(
          found.flatMap(([adapter, value]) => {
            const record = asRecord(value, version);
            return record ? [[adapter, { rates: record.rates, choices: new Map(record.choices) }] as const] : [];
          }),
        );
      }),
    add: (adapter, found) =>
      quietly(undefined, async () => {
        await update<unknown>(
          adapter,
          (value): TuningRecord => {
            const old = asRecord(value, version);
            const choices = new Map(old?.choices);
            for (const [problem, choice] of found.choices) {
              choices.delete(problem); // what was measured last stands last
              choices.set(problem, choice);
            }
            const rates = found.rates ?? old?.rates;
            return { version, savedAt: now(), ...(rates && { rates }), choices: [...choices].slice(-mostChoices) };
          },
          store,
        );
        const all = (await entries<string, unknown>(store)).map(([key, value]) => ({
          key,
          savedAt: asRecord(value, version)?.savedAt ?? 0,
        }));
        const surplus = all.sort((a, b) => b.savedAt - a.savedAt).slice(mostAdapters);
        for (const { key } of surplus) await del(key, store);
      }),
    clear: () => quietly(undefined, () => clear(store)),
  };
}

/** The record that a value is, without its damaged parts. */
function asRecord(value: unknown, version: string): TuningRecord | undefined {
  const record = value as Partial<TuningRecord> | undefined;
  if (typeof record !== 'object' || record === null || record.version !== version) return undefined;
  if (typeof record.savedAt !== 'number' || !Array.isArray(record.choices)) return undefined;
  const { savedAt, rates } = record;
  const choices = record.choices.filter((entry: unknown): entry is [string, Choice] => {
    return Array.isArray(entry) && typeof entry[0] === 'string' && isChoice(entry[1]);
  });
  return { version, savedAt, ...(areRates(rates) && { rates }), choices };
}

function isChoice(value: unknown): value is Choice {
  const { kernel, tunables, time, rival } = (value ?? {}) as Partial<Choice>;
  return (
    typeof kernel === 'string' &&
    isPositive(time) &&
    typeof tunables === 'object' &&
    tunables !== null &&
    Object.values(tunables).every((v) => Number.isFinite(v)) &&
    (rival === undefined || (typeof rival?.kernel === 'string' && isPositive(rival.time)))
  );
}

function areRates(value: unknown): value is AdapterRates {
  const { flops, bandwidth, dispatch } = (value ?? {}) as Partial<AdapterRates>;
  return [flops, bandwidth, dispatch].every(isPositive);
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}
