// The committed results, one file for each adapter in docs/benchmarks: read for `--check`, written by `--update`
// together with the same as Markdown.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../.ci/command';
import { type BenchResults, type RuntimeName, runtimeNames } from './results';
import { caseRows, markdown, memoryRows, problems, startRows, summary } from './table';

const folder = join(root, 'docs/benchmarks');

/** The path without extension, such as docs/benchmarks/swiftshader. */
export function pathOf({ adapter }: Pick<BenchResults, 'adapter'>): string {
  const name = `${adapter.architecture || adapter.vendor}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return join(folder, name);
}

/** Undefined where nothing is committed for this adapter. */
export function readCommitted(results: Pick<BenchResults, 'adapter'>): BenchResults | undefined {
  const path = `${pathOf(results)}.json`;
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

export function writeCommitted(results: BenchResults): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${pathOf(results)}.json`, toJson(results));
  writeFileSync(`${pathOf(results)}.md`, page(results));
}

/** What was measured to five digits: more would be noise. */
export function toJson(results: BenchResults): string {
  const round = (_: string, value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
  return `${JSON.stringify(results, round, 2)}\n`;
}

function page(results: BenchResults): string {
  const { adapter, browser, system, date, versions, cases, starts } = results;
  const runtimes = runtimeNames.filter((name) => versions[name] !== undefined);
  const gaps = problems(results);
  const described = runtimes.map((name: RuntimeName) => `${name}: ${versions[name]}`);
  const picture = `${pathOf(results).slice(folder.length + 1)}.png`;
  const lines = [
    '<!-- Written by `npm run bench -- --update`. Do not edit. -->',
    '',
    `# ${adapter.vendor} ${adapter.architecture}`,
    '',
    `${[...(adapter.description ? [adapter.description] : []), browser, system, date].join(', ')}. ${described.join('; ')}.`,
    '',
    'Medians in milliseconds with half the distance of the quartiles, all runtimes interleaved in one run. "Ahead" is',
    "the best WebGPU peer's time divided by Lepton's; — is a gap that is explained below. The JSON file beside this one",
    'has the quartiles, the errors against the oracle, and how many rounds there were.',
    '',
    `**${summary(results)}**`,
    '',
    `![Grouped bars of the table below](${picture})`,
    '',
    markdown(caseRows(cases, runtimes)),
    '',
    ...(starts.length > 0 ? ['## Cold start', '', markdown(startRows(starts, runtimes)), ''] : []),
    ...[
      '## GPU memory of a run',
      '',
      'Without weights and inputs that stay; the bound is what is alive at once at most.',
      '',
    ],
    markdown(memoryRows(cases)),
    ...(gaps.length > 0 ? ['', '## Gaps', '', ...gaps.map((line) => `- ${line}`)] : []),
  ];
  return `${lines.join('\n')}\n`;
}
