// Measures every candidate of a short list, made ready all at once, for compilers have several threads: in turns, so that a clock that drifts does so for all of them alike,
// and leaving out those that are far behind (as tinygrad's BEAM search does at three times the best).

import type { Prepared, Runner, Strategy, Trial, TuneOptions } from './strategy';

/** Each candidate's time is the shortest of this many. */
const rounds = 3;
/** A candidate slower than the best by this factor is measured no further. */
const hopeless = 3;
/** What comes first on the list stays unless another beats it by this factor: less may be noise. */
const margin = 1.03;

interface Entry<C> {
  readonly candidate: C;
  readonly prepared: Prepared;
  time: number;
}

/** The budget ends further rounds; the first is done even beyond it, since what it costs has mostly been spent. */
export const bestFew: Strategy = async <C>(
  space: readonly C[],
  runner: Runner<C>,
  { budget, now, signal }: TuneOptions,
): Promise<readonly Trial<C>[]> => {
  const end = now() + budget;
  const running = new Set<Entry<C>>();
  const trials: Entry<C>[] = [];
  const drop = (entry: Entry<C>) => {
    if (running.delete(entry)) entry.prepared.dispose();
  };
  const measure = async (entry: Entry<C>) => {
    const limit = hopeless * fastest(trials);
    entry.time = Math.min(entry.time, await entry.prepared.measure(limit));
  };
  const preparing = space.map(async (candidate) => {
    const prepared = await runner.prepare(candidate);
    return prepared && { candidate, prepared, time: Number.POSITIVE_INFINITY };
  });
  try {
    // All are awaited, also where one fails: what is made must be disposed of.
    for (const made of await Promise.allSettled(preparing)) {
      if (made.status === 'fulfilled' && made.value) running.add(made.value);
    }
    await Promise.all(preparing);
    for (const entry of running) {
      if (signal.aborted) return [];
      await measure(entry);
      trials.push(entry);
      for (const other of trials) if (other.time > hopeless * fastest(trials)) drop(other);
    }
    for (let round = 1; round < rounds; round++) {
      for (const entry of running) {
        if (signal.aborted || now() >= end) break;
        await measure(entry);
      }
    }
  } finally {
    for (const entry of running) drop(entry);
  }
  return ranked(trials);
};

function fastest(trials: readonly { readonly time: number }[]): number {
  return Math.min(...trials.map(({ time }) => time));
}

function ranked<C>(trials: readonly Entry<C>[]): Trial<C>[] {
  const [incumbent] = trials;
  const handicapped = (entry: Entry<C>) => (entry === incumbent ? entry.time : entry.time * margin);
  return [...trials]
    .sort((a, b) => handicapped(a) - handicapped(b))
    .map(({ candidate, time }) => ({ candidate, time }));
}
