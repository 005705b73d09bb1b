// Compares a run with committed results by how far Lepton is ahead of its best peer, never by time: times
// differ from machine to machine and from hour to hour, the ratios hardly.

import { ahead, type BenchResults, isTimed, rowsOf, webgpuPeers } from './results';

/** A case fails where Lepton's lead has shrunk by more than this factor. */
export const allowedLoss = 1.5;

export interface Regression {
  readonly name: string;
  /** What `--only` knows it by. */
  readonly test: string;
  readonly before: number;
  /** Undefined where Lepton has no result any more. */
  readonly now: number | undefined;
}

type Compared = Pick<BenchResults, 'cases' | 'starts'>;

export interface Comparison {
  /** Rows that both runs have, with a peer that both have timed. */
  readonly compared: number;
  readonly worse: readonly Regression[];
}

/** Rows of the baseline that were run again. Peers that either run lacks count on neither side. */
export function compareRatios(baseline: Compared, run: Compared): Comparison {
  const known = new Map(rowsOf(baseline).map(({ name, results }) => [name, results]));
  const rows = rowsOf(run).flatMap(({ name, test, results }): Regression[] => {
    const old = known.get(name);
    if (!old) return [];
    const peers = webgpuPeers.filter((peer) => isTimed(old[peer]) && isTimed(results[peer]));
    const before = ahead(old, peers);
    return before === undefined ? [] : [{ name, test, before, now: ahead(results, peers) }];
  });
  const worse = rows.filter(({ before, now }) => now === undefined || now * allowedLoss < before);
  return { compared: rows.length, worse };
}
