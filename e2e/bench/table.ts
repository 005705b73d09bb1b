// Results as tables: for the terminal and, with `markdown`, for the documentation.

import {
  ahead,
  type BenchResults,
  type CaseResult,
  cannotTrain,
  isTimed,
  type RuntimeName,
  rowsOf,
  runtimeNames,
  type StartCase,
} from './results';
import { median, type Summary } from './statistics';

/** The first column to the left, the others to the right. */
export type Rows = readonly (readonly string[])[];

export function caseRows(cases: readonly CaseResult[], runtimes: readonly RuntimeName[]): Rows {
  const head = ['case', ...runtimes, 'ahead', 'Lepton'];
  return [
    head,
    ...cases.map((test) => [
      test.name,
      ...runtimes.map((name) => time(test.results[name])),
      factor(ahead(test.results)),
      rate(test),
    ]),
  ];
}

export function startRows(starts: readonly StartCase[], runtimes: readonly RuntimeName[]): Rows {
  const rows: string[][] = [['start', ...runtimes, 'ahead', 'no runtime']];
  for (const { name, visit, results, floor } of starts) {
    const row = (what: string, cell: (name: RuntimeName) => string, last: readonly string[] = ['', '']) =>
      rows.push([`${name}, ${visit}: ${what}`, ...runtimes.map(cell), ...last]);
    row('first answer, ms', (runtime) => time(results[runtime]), [factor(ahead(results)), time(floor)]);
    const cell = (
      runtime: RuntimeName,
      value: 'libraryBytes' | 'longestTask' | 'heapBytes',
      unit: number,
      digits = 0,
    ) => {
      const result = results[runtime];
      return isTimed(result) ? (result[value] / unit).toFixed(digits) : '—';
    };
    row('library, kB', (runtime) => cell(runtime, 'libraryBytes', 1000));
    row('longest task, ms', (runtime) => cell(runtime, 'longestTask', 1));
    row('heap, MB', (runtime) => cell(runtime, 'heapBytes', 1e6, 1));
  }
  return rows;
}

/** GPU memory that Lepton's plans of whole networks take, against the least that they could. */
export function memoryRows(cases: readonly CaseResult[]): Rows {
  const rows = cases.flatMap(({ name, group, memory }) => {
    if (!memory || (group !== 'network' && group !== 'model')) return [];
    const { slotBytes, peakLiveBytes } = memory;
    const over = peakLiveBytes > 0 ? `${(slotBytes / peakLiveBytes).toFixed(2)}×` : '—';
    return [[name, (slotBytes / 1e6).toFixed(2), (peakLiveBytes / 1e6).toFixed(2), over]];
  });
  return [['network', 'allocated, MB', 'bound, MB', 'over the bound'], ...rows];
}

/** The line that answers the question. */
export function summary(run: Pick<BenchResults, 'cases' | 'starts'>): string {
  const found = rowsOf(run).flatMap(({ name, results }) => {
    const factor = ahead(results);
    return factor === undefined ? [] : [{ name, factor }];
  });
  if (found.length === 0) return 'Nothing to compare.';
  const worst = found.reduce((a, b) => (b.factor < a.factor ? b : a));
  const middle = median(found.map((row) => row.factor));
  return `Ahead of the best WebGPU peer: ${factor(middle)} on the median of ${found.length} cases, ${factor(worst.factor)} on the worst (${worst.name}).`;
}

export function text(rows: Rows): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => (row[i] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function markdown(rows: Rows): string {
  const [head = [], ...body] = rows;
  const rule = head.map((_, i) => (i === 0 ? '---' : '---:'));
  return [head, rule, ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** Why cells are empty, one line each. */
export function problems(run: Pick<BenchResults, 'cases' | 'starts'>): string[] {
  return rowsOf(run).flatMap(({ name, results }) =>
    runtimeNames.flatMap((runtime) => {
      const result = results[runtime];
      const explained = !result || !('problem' in result) || result.problem === cannotTrain;
      return explained ? [] : [`${name}, ${runtime}: ${result.problem}`];
    }),
  );
}

/** The median with half the distance of the quartiles, such as '12.3 ±2%'; or that there can be none. */
export function time(result: Summary | { readonly problem: string } | undefined): string {
  if (!isTimed(result)) return result?.problem === cannotTrain ? cannotTrain : '—';
  const { median, quartiles } = result;
  const digits = median < 10 ? 2 : median < 100 ? 1 : 0;
  return `${median.toFixed(digits)} ±${((50 * (quartiles[1] - quartiles[0])) / median).toFixed(0)}%`;
}

/** Such as '3.04×'. */
export function factor(value: number | undefined): string {
  return value === undefined ? '—' : `${value.toFixed(value < 10 ? 2 : 1)}×`;
}

/** What Lepton's time means: arithmetic or memory traffic per second. */
function rate({ group, flops, bytes, results }: CaseResult): string {
  const own = results.lepton;
  if (!isTimed(own)) return '';
  if (group === 'bandwidth' && bytes) return `${(bytes / own.median / 1e6).toFixed(1)} GB/s`;
  return flops ? `${(flops / own.median / 1e6).toFixed(1)} GFLOP/s` : '';
}
