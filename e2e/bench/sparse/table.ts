// The results of sparse weights as a table: by shape, how many times faster than Lepton's dense kernel each kind of weights
// ran, kernels alone and whole runs, and than the best peer.

import { isTimed, type Result } from '../results';
import type { Rows } from '../table';
import type { Dense, LevelResult, SparseResult } from './run';
import { percent } from './shape';

export function sparseRows(results: readonly SparseResult[]): Rows {
  const kernels = ['kernel ms', 'dense kernel ms', 'over dense kernel'];
  const runs = ['run ms', 'dense run ms', 'over dense run', 'best peer ms', 'over peer'];
  const head = ['weights', 'zeros', ...kernels, ...runs, 'memory', 'kernel'];
  const rows = results.flatMap(({ shape, dense, levels }) =>
    levels.map((level) => {
      const [own, peer] = [timeOf(dense.lepton.result), bestPeer(dense)];
      const time = timeOf(level.result);
      return [
        `${shape}, ${level.structure}`,
        percent(level.zeros),
        ms(level.kernelTime),
        ms(dense.lepton.kernelTime),
        factor(dense.lepton.kernelTime, level.kernelTime),
        ms(time),
        ms(own),
        factor(own, time),
        ms(peer),
        factor(peer, time),
        memory(level, dense),
        level.kernel ?? '—',
      ];
    }),
  );
  return [head, ...rows];
}

/** One line for each that failed. */
export function sparseProblems(results: readonly SparseResult[]): string[] {
  return results.flatMap(({ shape, dense, levels }) => {
    const all: [string, Result][] = [
      ['dense', dense.lepton.result],
      ...Object.entries(dense.peers),
      ...levels.map((level): [string, Result] => [`${level.structure}, ${percent(level.zeros)}`, level.result]),
    ];
    return all.flatMap(([name, result]) => (isTimed(result) ? [] : [`${shape}, ${name}: ${result.problem}`]));
  });
}

function timeOf(result: Result | undefined): number | undefined {
  return isTimed(result) ? result.median : undefined;
}

/** Milliseconds of the fastest. */
function bestPeer({ peers }: Dense): number | undefined {
  const times = Object.values(peers).flatMap((result) => timeOf(result) ?? []);
  return times.length > 0 ? Math.min(...times) : undefined;
}

const ms = (time: number | undefined) => (time === undefined ? '—' : time.toFixed(2));

const factor = (than: number | undefined, time: number | undefined) =>
  than === undefined || time === undefined ? '—' : `${(than / time).toFixed(2)}×`;

function memory({ weightBytes }: LevelResult, { lepton }: Dense): string {
  if (weightBytes === undefined || !lepton.weightBytes) return '—';
  return percent(weightBytes / lepton.weightBytes);
}
