// The results of sparse weights as a table: by shape, how many times faster than Lepton's dense kernel each kind of weights
// ran, kernels alone and whole runs, and than the best peer.

import { isTimed, type Result } from '../results';
import type { Rows } from '../table';
import type { Dense, LevelResult, SparseResult } from './run';
import { percent } from './shape';

export function sparseRows(results: readonly SparseResult[]): Rows {
  const kernels = ['kernel ms', 'dense kernel ms', 'over dense kernel'];
  const runs = ['run ms', 'dense run ms', 'over dense run', 'best peer', 'peer ms', 'over peer'];
  const head = ['weights', 'zeros', ...kernels, ...runs, 'memory', 'kernel'];
  const rows = results.flatMap(({ shape, denseBytes, dense, levels }) =>
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
        isKept(level, dense) ? '=' : factor(own, time),
        peer?.name ?? '—',
        ms(peer?.time),
        factor(peer?.time, time),
        memory(level, denseBytes),
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

/** The fastest, with its milliseconds. */
function bestPeer({ peers }: Dense): { readonly name: string; readonly time: number } | undefined {
  const timed = Object.entries(peers).flatMap(([name, result]) => {
    const time = timeOf(result);
    return time === undefined ? [] : [{ name, time }];
  });
  return timed.sort((a, b) => a.time - b.time)[0];
}

/** Whether the dense kernel runs: then two runs do the same, and how far they are apart says nothing. */
const isKept = ({ kernel }: LevelResult, { lepton }: Dense) => kernel !== undefined && kernel === lepton.kernel;

const ms = (time: number | undefined) => (time === undefined ? '—' : time.toFixed(2));

const factor = (than: number | undefined, time: number | undefined) =>
  than === undefined || time === undefined ? '—' : `${(than / time).toFixed(2)}×`;

function memory({ weightBytes }: LevelResult, denseBytes: number | undefined): string {
  return weightBytes === undefined || denseBytes === undefined ? '—' : percent(weightBytes / denseBytes);
}
