// The committed results, one file for each adapter in docs/benchmarks: read for `--check`, written by `--update`
// together with the same as Markdown.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../.ci/command';
import { type BenchResults, type RuntimeName, runtimeNames, webgpuPeers } from './results';
import { sparseProblems, sparseRows } from './sparse/table';
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
  const { sparse: _, ...rest } = results;
  writeFileSync(`${pathOf(results)}.json`, toJson(rest));
  writeFileSync(`${pathOf(results)}.md`, page(results));
}

/** Of sparse weights: files of their own, since they can be measured alone. */
export function writeSparse({ cases: _, starts: __, ...results }: BenchResults): void {
  mkdirSync(folder, { recursive: true });
  const path = `${pathOf(results)}-sparse`;
  writeFileSync(`${path}.json`, toJson(results));
  writeFileSync(`${path}.md`, sparsePage(results));
}

/** What was measured to five digits: more would be noise. */
export function toJson(results: object): string {
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

function sparsePage(results: Omit<BenchResults, 'cases' | 'starts'>): string {
  const { adapter, browser, system, date, versions, sparse } = results;
  const described = (['lepton', ...webgpuPeers] as const).map((name) => `${name}: ${versions[name]}`);
  const picture = `${pathOf(results).slice(folder.length + 1)}-sparse.png`;
  const gaps = sparseProblems(sparse);
  const lines = [
    '<!-- Written by `npm run bench -- --only=sparse --update`. Do not edit. -->',
    '',
    `# Sparse weights on ${adapter.vendor} ${adapter.architecture}`,
    '',
    `${[...(adapter.description ? [adapter.description] : []), browser, system, date].join(', ')}. ${described.join('; ')}.`,
    '',
    'Medians in milliseconds, all weights of a shape and all runtimes interleaved in one run. "Dense" is Lepton with weights',
    'of the same shape and no zeros, with the kernel that it chooses for them; the best peer runs on the same adapter, on the',
    'dense weights. Times of kernels are of their dispatches alone, repeated within a pass; a run also feeds, waits and reads',
    'back. "=" is where the dense kernel is chosen: both runs then do the same, and are apart by noise only. Memory is what the',
    'weights take on the GPU, against dense ones as float32: kernels may keep them in a larger form, as Winograd does.',
    'Shapes of products W·x are those of the weights × the columns of x; of x·W, the rows of x × the weights, inputs × outputs.',
    'There weights are what the compressor writes, and dense ones float32. Kernels are chosen by estimate.',
    '',
    `![Lines of the table below: how many times faster than the dense kernel, by the share of zeros](${picture})`,
    '',
    markdown(sparseRows(sparse)),
    ...(gaps.length > 0 ? ['', '## Gaps', '', ...gaps.map((line) => `- ${line}`)] : []),
  ];
  return `${lines.join('\n')}\n`;
}
