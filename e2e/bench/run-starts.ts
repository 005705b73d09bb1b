// Measures the cold start: from navigation to first answer, on a visitor's first visit and on the second. Every
// visitor is a browser of its own, so that nothing compiled for one is there for the next.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestPage } from '../support/browser-pages';
import { HeapWatch } from '../support/heap-watch';
import { longestTask, startTrace } from '../support/main-thread-trace';
import { openBrowser, type TestBrowser } from '../support/open-browser';
import { floorPage, type PageName } from './build-pages';
import { putCase } from './case-files';
import type { BenchCase } from './cases';
import { describeMachine } from './machine';
import { answeredMark, type BenchPage, type FirstAnswer } from './pages/runtime';
import { type RuntimeName, type StartCase, type StartResult, type Visit, visits } from './results';
import { firstLine } from './runtime-page';
import { type StartSite, startSite } from './start-site';
import { median, summarise } from './statistics';

declare const bench: BenchPage;

/** Milliseconds. A runtime may still be writing its store when it has answered. */
const [answerLimit, storeTime] = [120_000, 2_000];
const caseFolder = '/start';

interface Seen {
  readonly ms: number;
  readonly libraryBytes: number;
  readonly modelBytes: number;
}

export async function runStarts(
  test: BenchCase,
  { runtimes, folder, rounds }: { runtimes: readonly RuntimeName[]; folder: string; rounds: number },
): Promise<StartCase[]> {
  const pages: readonly PageName[] = [...runtimes, floorPage];
  const site = await startSite(pages, folder);
  await putCase(caseFolder, test, site.put);
  const seen = new Map<PageName, Record<Visit, Seen[]>>();
  const problems = new Map<PageName, string>();
  const watched = new Map<PageName, Record<Visit, Watched>>();
  const each = async (round: number, visit: (name: PageName) => Promise<void>) => {
    for (let i = 0; i < pages.length; i++) {
      const name = pages[(i + round) % pages.length] as PageName;
      if (!problems.has(name)) await visit(name).catch((error) => problems.set(name, firstLine(error)));
    }
  };
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`cold start of ${test.name}, round ${round + 1} of ${rounds}\n`);
    await each(round, async (name) => {
      const found = await asVisitor(site, (browser) => timeVisit(browser, site, name));
      const all = seen.get(name) ?? { 'first visit': [], 'second visit': [] };
      for (const visit of visits) all[visit].push(found[visit]);
      seen.set(name, all);
    });
  }
  // Watching costs time, so it has visits of its own.
  await each(0, async (name) => {
    watched.set(name, await asVisitor(site, (browser) => watchVisit(browser, site, name)));
  });
  await site.close();
  return visits.map((visit) => {
    const result = (name: PageName) =>
      resultOf(seen.get(name)?.[visit], watched.get(name)?.[visit], problems.get(name));
    return {
      name: `cold start of ${test.name}`,
      visit,
      results: Object.fromEntries(runtimes.map((name) => [name, result(name)])),
      floor: result(floorPage),
    };
  });
}

function resultOf(
  seen: readonly Seen[] | undefined,
  watched: Watched | undefined,
  problem = '',
): StartResult | { readonly problem: string } {
  if (!seen || !watched || problem !== '') return { problem };
  const middle = (value: 'libraryBytes' | 'modelBytes') => median(seen.map((visit) => visit[value]));
  const times = summarise(seen.map(({ ms }) => ms));
  return { ...times, ...watched, libraryBytes: middle('libraryBytes'), modelBytes: middle('modelBytes') };
}

/** A browser with a profile of its own on disk, whose GPU process runs already, as it does on most machines. */
async function asVisitor<T>(site: StartSite, visit: (browser: TestBrowser) => Promise<T>): Promise<Record<Visit, T>> {
  const profile = mkdtempSync(join(tmpdir(), 'lepton-visitor-'));
  const browser = await openBrowser('chromium', { profile });
  try {
    await describeMachine(browser, site.url);
    return { 'first visit': await visit(browser), 'second visit': await visit(browser) };
  } finally {
    await browser.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function timeVisit(browser: TestBrowser, site: StartSite, name: PageName): Promise<Seen> {
  const page = await browser.newPage();
  site.takeSent();
  const { ms } = await answerOf(page, `${site.url}/${name}.html?case=${caseFolder}`);
  await new Promise((resume) => setTimeout(resume, storeTime));
  const sent = [...site.takeSent()];
  await page.close();
  const sum = (ofModel: boolean) =>
    sent.filter(([path]) => path.startsWith(`${caseFolder}/`) === ofModel).reduce((bytes, [, size]) => bytes + size, 0);
  return { ms, libraryBytes: sum(false), modelBytes: sum(true) };
}

type Watched = Pick<StartResult, 'longestTask' | 'heapBytes'>;

async function watchVisit(browser: TestBrowser, site: StartSite, name: PageName): Promise<Watched> {
  const page = await browser.newPage();
  const heap = await HeapWatch.start(page);
  const trace = await startTrace(await page.cdp());
  heap.poll();
  await answerOf(page, `${site.url}/${name}.html?case=${caseFolder}`);
  heap.stop();
  const task = longestTask(await trace.stop(), { end: answeredMark });
  await new Promise((resume) => setTimeout(resume, storeTime));
  await page.close();
  return { longestTask: task, heapBytes: heap.peak };
}

async function answerOf(page: TestPage, url: string): Promise<FirstAnswer> {
  await page.goto(url);
  await page.waitForFunction(() => 'bench' in globalThis);
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`no answer within ${answerLimit / 1000} s`)), answerLimit).unref();
  });
  const answer = page.evaluate(() => bench.firstAnswer as Promise<FirstAnswer>);
  answer.catch(() => {});
  const first = await Promise.race([answer, late]);
  if (first.problem !== undefined) throw new Error(first.problem);
  return first;
}
