// What a conformance run says on the terminal: what went wrong, a table by operator, what ran on the
// host, the totals.

import type { ConformanceCase } from './cases';
import { passes } from './expected';
import type { CaseResult } from './run-suite';

const detailWidth = 200;

/** @param results in the order of `cases` */
export function report(cases: readonly ConformanceCase[], results: readonly CaseResult[]): string {
  const failed = results.filter(({ verdict }) => verdict === 'wrong' || verdict === 'error');
  const lines = failed.map(({ name, verdict, detail }) => `${verdict.padEnd(5)} ${name}: ${shorten(detail)}`);
  return [
    ...lines,
    ...(lines.length > 0 ? [''] : []),
    ...table(cases, results),
    ...hostSteps(results),
    '',
    totals(results),
  ].join('\n');
}

const columns = ['pass', 'wrong', 'error', 'out of scope'] as const;

function table(cases: readonly ConformanceCase[], results: readonly CaseResult[]): string[] {
  const byOp = new Map<string, CaseResult[]>();
  cases.forEach(({ op }, i) => {
    byOp.set(op, [...(byOp.get(op) ?? []), results[i] as CaseResult]);
  });
  const rows = [...byOp]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([op, own]) => [op, ...columns.map((column) => String(count(own, column) || ''))]);
  const all = [['operator', ...columns], ...rows, ['all', ...columns.map((column) => String(count(results, column)))]];
  const widths = (all[0] as string[]).map((_, i) => Math.max(...all.map((row) => (row[i] as string).length)));
  return all.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0] as number) : cell.padStart(widths[i] as number))).join('  '),
  );
}

function count(results: readonly CaseResult[], column: (typeof columns)[number]): number {
  return results.filter((result) => (column === 'pass' ? passes(result) : result.verdict === column)).length;
}

function totals(results: readonly CaseResult[]): string {
  const reasons = new Map<string, number>();
  for (const { verdict, detail } of results) {
    if (verdict === 'out of scope') reasons.set(detail, (reasons.get(detail) ?? 0) + 1);
  }
  const shape = results.filter(({ verdict }) => verdict === 'pass (shape)').length;
  const parts = [
    `${count(results, 'pass')} passed${shape > 0 ? ` (${shape} by shape and type alone: their values are random)` : ''}`,
    `${count(results, 'wrong')} wrong`,
    `${count(results, 'error')} errors`,
    `${count(results, 'out of scope')} out of scope`,
  ];
  const why = [...reasons].map(([reason, n]) => `${n} ${reason}`).join(', ');
  return `${results.length} cases: ${parts.join(', ')}${why && ` (${why})`}.`;
}

/** What ran on the host in how many cases, most often first; names of single nodes left out. */
function hostSteps(results: readonly CaseResult[]): string[] {
  const counts = new Map<string, number>();
  for (const result of results) {
    for (const step of new Set(result.hostSteps.map((s) => s.replace(/ "[^"]*"/g, ''))))
      counts.set(step, (counts.get(step) ?? 0) + 1);
  }
  const rows = [...counts].sort(([, a], [, b]) => b - a).map(([step, n]) => `  ${step}: ${n} cases`);
  return rows.length > 0 ? ['', 'On the host:', ...rows] : [];
}

function shorten(whole: string): string {
  const text = whole.replace(/\s+/g, ' ');
  return text.length > detailWidth ? `${text.slice(0, detailWidth)}…` : text;
}
