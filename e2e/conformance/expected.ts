// The committed numbers: for each browser the cases that pass, by operator, in `expected.json`. A case that is
// in the file and no longer passes is a regression; one that passes and is not in it is news.

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BrowserName } from '../support/find-browser';
import type { ConformanceCase } from './cases';
import type { CaseResult } from './run-suite';

const path = fileURLToPath(new URL('expected.json', import.meta.url));

/** Names of passing cases, separated by spaces, by operator. */
type Passing = Readonly<Record<string, string>>;

function readFile(): Partial<Record<BrowserName, Passing>> {
  return JSON.parse(readFileSync(path, 'utf8'));
}

export function passes({ verdict }: CaseResult): boolean {
  return verdict === 'pass' || verdict === 'pass (shape)';
}

export interface Changes {
  /** What passed when the file was written and does not now. */
  readonly regressions: readonly CaseResult[];
  /** Names of cases that pass and are not in the file. */
  readonly news: readonly string[];
}

export function compareWithExpected(browser: BrowserName, results: readonly CaseResult[]): Changes {
  const expected = new Set(Object.values(readFile()[browser] ?? {}).flatMap((names) => names.split(' ')));
  return {
    regressions: results.filter((result) => expected.has(result.name) && !passes(result)),
    news: results.filter((result) => !expected.has(result.name) && passes(result)).map(({ name }) => name),
  };
}

/** Writes what these results say; what the file says of other cases stays. */
export function updateExpected(
  browser: BrowserName,
  cases: readonly ConformanceCase[],
  results: readonly CaseResult[],
): void {
  const file = readFile();
  const ran = new Set(results.map(({ name }) => name));
  const byOp = new Map(
    Object.entries(file[browser] ?? {}).map(([op, names]) => [op, names.split(' ').filter((name) => !ran.has(name))]),
  );
  cases.forEach(({ op, name }, i) => {
    if (passes(results[i] as CaseResult)) byOp.set(op, [...(byOp.get(op) ?? []), name]);
  });
  const entries = [...byOp].filter(([, names]) => names.length > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  const passing = Object.fromEntries(entries.map(([op, names]) => [op, names.sort().join(' ')]));
  writeFileSync(path, `${JSON.stringify({ ...file, [browser]: passing }, undefined, 2)}\n`);
}
