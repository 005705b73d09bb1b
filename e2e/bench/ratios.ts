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

/** Rows of the baseline that were run again and got worse. Peers that either run lacks count on neither side. */
export function regressions(baseline: Compared, run: Compared): Regression[] {
  const known = new Map(rowsOf(baseline).map(({ name, results }) => [name, results]));
  return rowsOf(run).flatMap(({ name, test, results }) => {
    const old = known.get(name);
    if (!old) return [];
    const peers = webgpuPeers.filter((peer) => isTimed(old[peer]) && isTimed(results[peer]));
    const before = ahead(old, peers);
    const now = ahead(results, peers);
    if (before === undefined || (now !== undefined && now * allowedLoss >= before)) return [];
    return [{ name, test, before, now }];
  });
}
