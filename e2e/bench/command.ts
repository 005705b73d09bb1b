// `npm run bench`: Lepton and its peers in a real Chromium, interleaved on one adapter, every result checked
// before it is timed. Prints tables; ends with status 1 where `--check` finds Lepton less far ahead than the
// committed results have it.
//   --only=REGEX              cases whose name matches
//   --runtimes=NAME,NAME      of those in results.ts
//   --rounds=N                default 7
//   --adapter=software|hardware   SwiftShader, the default, or the machine's own GPU
//   --json=FILE               also writes the results there
//   --check                   compares how far ahead Lepton is with docs/benchmarks
//   --update                  writes docs/benchmarks from a whole run, or with --only=sparse what is there of sparse weights

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import installBrowsers from '../../.ci/install-browsers';
import { dataPath, hasData } from '../support/data';
import { openBrowser, type TestBrowser } from '../support/open-browser';
import { startServer, type TestServer } from '../support/server';
import { buildPages, floorPage, isolation, kernelsPage, type PageName, pageOf, trainingPages } from './build-pages';
import { cases, trainings } from './cases';
import { pathOf, readCommitted, toJson, writeCommitted, writeSparse } from './committed';
import { describeMachine } from './machine';
import { modelCases } from './models';
import { type BenchOptions, parseOptions, usage } from './options';
import { takePicture } from './picture';
import { allowedLoss, compareRatios } from './ratios';
import { type BenchResults, type CaseResult, cannotTrain, type RuntimeName, webgpuPeers } from './results';
import { runCases } from './run-cases';
import { runStarts } from './run-starts';
import { RuntimePage } from './runtime-page';
import { collectedShapes } from './sparse/collected';
import { takeCrossover } from './sparse/crossover';
import { timeKernels } from './sparse/kernels';
import { runSparse } from './sparse/run';
import type { SparseShape } from './sparse/shape';
import { drawnShapes, wantsSparse } from './sparse/shapes';
import { sparseProblems, sparseRows } from './sparse/table';
import { caseRows, memoryRows, problems, startRows, summary, text } from './table';
import { versionsOf } from './versions';

const startCase = 'MNIST CNN batch 1';

export default async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (!options) {
    console.error(usage);
    return 2;
  }
  process.env.LEPTON_ADAPTER = options.adapter;
  process.env.LEPTON_BROWSERS = 'chromium';
  if ((await installBrowsers()) !== 0) return 1;
  const folder = mkdtempSync(join(tmpdir(), 'lepton-bench-'));
  try {
    await buildPages([...pageNames(options), ...(options.update ? (['picture', 'crossover'] as const) : [])], folder);
    const results = await measure(options, folder);
    print(results, options);
    if (options.json) writeFileSync(options.json, toJson(results));
    return options.check ? await compare(results, (only) => measure({ ...options, only }, folder)) : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(options: BenchOptions, folder: string): Promise<BenchResults> {
  const { runtimes, rounds, only } = options;
  const server = await startServer({ headers: isolation });
  const browser = await openBrowser('chromium', { args: foreground });
  try {
    for (const name of ['picture', 'crossover']) server.mount(`/${name}`, join(folder, name));
    for (const name of pageNames(options)) {
      server.mount(`/${name}`, join(folder, name));
      server.put(`/${name}.html`, { text: pageOf(name), headers: { 'Content-Type': 'text/html' } });
    }
    const machine = await describeMachine(browser, server.url);
    const open = (name: RuntimeName, page: PageName) => new RuntimePage(name, browser, `${server.url}/${page}.html`);
    const pages = runtimes.map((name) => open(name, name));
    const trainers = runtimes.flatMap((name) => {
      const page = trainingPageOf(name);
      return page ? [open(name, page)] : [];
    });
    const wanted = [...cases.filter(({ name }) => only.test(name)), ...(await modelCases(only))].filter(
      ({ needs = [] }) => needs.every((feature) => machine.features.has(feature)),
    );
    const ran = await runCases(wanted, { pages, server, rounds });
    const shapes = wantedShapes(only);
    const leptons: RuntimePage[] = [];
    const sparse = await runSparse(shapes, {
      leptonPage: (i) => (leptons[i] ??= open('lepton', 'lepton')),
      timeKernels: (folders) => timeKernels({ browser, url: `${server.url}/${kernelsPage}.html` }, folders, rounds),
      peers: pages.filter(({ name }) => webgpuPeers.includes(name)),
      ...{ server, rounds },
    });
    const versions = versionsOf([...pages, ...leptons]);
    for (const page of [...pages, ...leptons]) await page.close();
    const trained = await runCases(wantedTrainings(only), { pages: trainers, server, rounds });
    for (const page of trainers) await page.close();
    const done = [...ran, ...trained.map((result) => withGaps(result, runtimes))];
    const first = cases.find(({ name }) => name === startCase);
    const starts = first && wantsStart(only) ? await runStarts(first, { runtimes, folder, rounds }) : [];
    const results: BenchResults = { ...machine.described, versions, cases: done, starts, sparse };
    if (options.update) await update(results, { runtimes, browser, server });
    return results;
  } finally {
    await browser.close();
    await server.close();
  }
}

interface Drawing {
  readonly runtimes: readonly RuntimeName[];
  readonly browser: TestBrowser;
  readonly server: TestServer;
}

async function update(results: BenchResults, { runtimes, browser, server }: Drawing): Promise<void> {
  if (results.cases.length > 0) {
    writeCommitted(results);
    await takePicture(results, runtimes, { browser, server, path: `${pathOf(results)}.png` });
  }
  if (results.sparse.length > 0) {
    writeSparse(results);
    const title = `Sparse weights on ${results.adapter.vendor} ${results.adapter.architecture}, ${results.date}`;
    await takeCrossover(results.sparse, title, { browser, server, path: `${pathOf(results)}-sparse.png` });
  }
}

/** None, and a message, where this machine lacks the data that some of them are made of. */
function wantedShapes(only: RegExp): SparseShape[] {
  if (!wantsSparse(only)) return [];
  if (hasData()) return [...drawnShapes(), ...collectedShapes()].filter(({ name }) => only.test(`sparse ${name}`));
  console.log(`No sparse weights: there is no folder ${dataPath()}. Set LEPTON_DATA to the shared data.`);
  return [];
}

const wantsStart = (only: RegExp) => only.test(`cold start of ${startCase}`);

const wantedTrainings = (only: RegExp) => trainings.filter(({ name }) => only.test(name));

function trainingPageOf(name: RuntimeName): PageName | undefined {
  return name in trainingPages ? trainingPages[name as keyof typeof trainingPages] : undefined;
}

function pageNames({ runtimes, only }: BenchOptions): PageName[] {
  const training = wantedTrainings(only).length > 0 ? runtimes.map(trainingPageOf) : [];
  const kernels = wantsSparse(only) ? [kernelsPage] : [];
  const floor = wantsStart(only) ? [floorPage] : [];
  return [...runtimes, ...training.filter((name) => name !== undefined), ...kernels, ...floor];
}

/** With what a runtime that cannot train has for a result. */
function withGaps(result: CaseResult, runtimes: readonly RuntimeName[]): CaseResult {
  const gaps = runtimes.filter((name) => !trainingPageOf(name)).map((name) => [name, { problem: cannotTrain }]);
  return { ...result, results: { ...result.results, ...Object.fromEntries(gaps) } };
}

function print(results: BenchResults, { runtimes }: BenchOptions): void {
  const { cases, starts, sparse } = results;
  const tables = [
    ...(cases.length > 0 ? [caseRows(cases, runtimes)] : []),
    ...(starts.length > 0 ? [startRows(starts, runtimes)] : []),
    memoryRows(cases),
    sparseRows(sparse),
  ].filter((rows) => rows.length > 1);
  for (const rows of tables) console.log(`${text(rows)}\n`);
  for (const line of [...problems(results), ...sparseProblems(sparse)]) console.log(line);
  if (cases.length + starts.length > 0) console.log(summary(results));
}

/** What seems worse is measured once more, since a machine may have been busy with something else. */
async function compare(results: BenchResults, again: (only: RegExp) => Promise<BenchResults>): Promise<number> {
  const committed = readCommitted(results);
  if (!committed) {
    console.error(`Nothing to compare with: there is no ${pathOf(results)}.json. Write it with --update.`);
    return 1;
  }
  const { compared, worse: suspects } = compareRatios(committed, results);
  if (compared === 0) {
    console.error('Nothing was compared: no case of this run is in the committed one with the same WebGPU peer timed.');
    return 1;
  }
  const names = suspects.map(({ test }) => test.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  const repeated = names.length > 0 && (await again(new RegExp(`^(${names.join('|')})$`)));
  const worse = repeated ? compareRatios(committed, repeated).worse : [];
  const confirmed = worse.filter(({ name }) => suspects.some((suspect) => suspect.name === name));
  for (const { name, before, now } of confirmed) {
    const after = now === undefined ? 'has no result now' : `is ${now.toFixed(2)}× now`;
    console.error(`${name}: was ${before.toFixed(2)}× ahead of the best peer, ${after}.`);
  }
  if (confirmed.length === 0) {
    console.log(`Of ${compared} cases compared none lost more than a factor of ${allowedLoss} of its lead.`);
  }
  return confirmed.length === 0 ? 0 : 1;
}

/** Several pages take turns: none may be slowed for being in the background. */
const foreground = [
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
];
