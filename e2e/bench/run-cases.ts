// Measures cases: every runtime prepares and is checked, then rounds in which each in turn runs once, in an
// order that rotates, so that what the machine does meanwhile meets all alike.

import type { TestServer } from '../support/server';
import { putCase } from './case-files';
import type { BenchCase, TrainingCase } from './cases';
import type { Prepared } from './pages/runtime';
import { ahead, type CaseResult, type Result, type RuntimeName } from './results';
import { firstLine, type RuntimePage } from './runtime-page';
import { summarise } from './statistics';
import { factor, time } from './table';

/** A case stops after so many milliseconds of rounds, but not before so many rounds; of training, not before one. */
const [longEnough, fewestRounds] = [30_000, 3];

type Test = BenchCase | TrainingCase;

interface Arena {
  readonly pages: readonly RuntimePage[];
  /** Where the pages find the case. */
  readonly server: TestServer;
  readonly rounds: number;
}

/** Tells on the error output how far it is. */
export async function runCases(tests: readonly Test[], arena: Arena): Promise<CaseResult[]> {
  const done: CaseResult[] = [];
  for (const test of tests) {
    const result = await runCase(test, arena).catch((error) => failed(test, firstLine(error), arena.pages));
    done.push(result);
    const times = arena.pages.map(({ name }) => `${name} ${time(result.results[name])}`);
    const place = `${done.length} of ${tests.length}`;
    process.stderr.write(`${place}, ${test.name}: ${times.join(', ')} ms; ${factor(ahead(result.results))} ahead\n`);
  }
  return done;
}

/** A case that not even the oracle could run. */
function failed({ name, group }: Test, problem: string, pages: readonly RuntimePage[]): CaseResult {
  return { name, group, results: Object.fromEntries(pages.map((page) => [page.name, { problem }])) };
}

async function runCase(test: Test, { pages, server, rounds }: Arena): Promise<CaseResult> {
  const put = (path: string, bytes: Uint8Array) =>
    server.put(path, { bytes, headers: { 'Cache-Control': 'no-store' } });
  const folder = `/cases/${test.name.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`;
  const paths = await putCase(folder, test, put);
  const results: Partial<Record<RuntimeName, Result>> = {};
  // A page that failed may have work under way: it closes before anything is timed.
  const fail = async (page: RuntimePage, problem: string) => {
    results[page.name] = { problem };
    await page.close();
  };
  const ready = new Map<RuntimePage, Prepared>();
  for (const page of pages) {
    const prepared = await page.prepare(folder);
    if (prepared.problem === undefined) ready.set(page, prepared);
    else await fail(page, prepared.problem);
  }
  const fewest = test.group === 'train' ? 1 : fewestRounds;
  const times = await timeRounds([...ready.keys()], { rounds, fewest }, fail);
  for (const [page, found] of times) {
    const { problem, error = 0 } = await page.verify();
    const worst = Math.max(error, ready.get(page)?.error ?? 0);
    results[page.name] = problem === undefined ? { ...summarise(found), error: worst } : { problem };
    await page.dispose();
  }
  // Some cases are 64 MiB.
  for (const path of paths) put(path, new Uint8Array());
  const { name, group } = test;
  const { flops, bytes } = test.group === 'train' ? {} : test;
  const memory = [...ready].find(([page]) => page.name === 'lepton')?.[1].memory;
  return { name, group, ...(flops && { flops }), ...(bytes && { bytes }), results, ...(memory && { memory }) };
}

/** @param fail is told of a page that cannot go on */
export async function timeRounds(
  pages: readonly RuntimePage[],
  { rounds, fewest }: { readonly rounds: number; readonly fewest: number },
  fail: (page: RuntimePage, problem: string) => Promise<void>,
): Promise<Map<RuntimePage, number[]>> {
  const times = new Map(pages.map((page): [RuntimePage, number[]] => [page, []]));
  const start = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (round >= fewest && performance.now() - start > longEnough) break;
    for (const page of orderOf([...times.keys()], round)) {
      try {
        times.get(page)?.push(await page.time());
      } catch (error) {
        times.delete(page);
        await fail(page, firstLine(error));
      }
    }
  }
  return times;
}

/** Each begins in turn, and follows now one neighbour, now the other. */
function orderOf<T>(items: readonly T[], round: number): T[] {
  const turned = items.map((_, i) => items[(i + round) % items.length] as T);
  return round % 2 === 0 ? turned : turned.reverse();
}
