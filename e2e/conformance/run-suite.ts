// Runs conformance cases in a browser, batch by batch on one page with one worker and one device. A lost
// device, a case that hangs or a crashed page cost at most the case at fault: a fresh browser goes on.

import { setTimeout as delay } from 'node:timers/promises';
import type { TestPage } from '../support/browser-pages';
import type { BrowserName } from '../support/find-browser';
import { openBrowser, type TestBrowser } from '../support/open-browser';
import { startServer } from '../support/server';
import type { ConformanceCase } from './cases';
import type { BatchReport, PageCase, PageResult } from './page';

export type Verdict = PageResult['verdict'] | 'out of scope';

export interface CaseResult extends Omit<PageResult, 'verdict'> {
  readonly verdict: Verdict;
}

export interface SuiteOptions {
  readonly browser: BrowserName;
  /** The folder that the cases were listed from. */
  readonly folder: string;
  /** Address of the project's dev server, whose page it is. */
  readonly server: string;
  /** Also finds out what runs on the host. */
  readonly profile?: boolean;
  readonly onProgress?: (done: number, all: number) => void;
}

const batchSize = 50;
/** Milliseconds: a batch begins no further case after `time`, and is given up after `patience`. */
const time = 5_000;
const caseTime = 20_000;
const patience = time + caseTime + 20_000;

/** The results in the order of the cases. */
export async function runSuite(cases: readonly ConformanceCase[], options: SuiteOptions): Promise<CaseResult[]> {
  const results = new Map<string, CaseResult>();
  for (const { name, outOfScope } of cases) {
    if (outOfScope === undefined) continue;
    results.set(name, { ...notRun(name), verdict: 'out of scope', detail: outOfScope });
  }
  const files = await startServer({ cors: true });
  files.mount('/cases', options.folder);
  const pages = new Pages(options);
  const suspects = new Set<string>();
  try {
    for (;;) {
      options.onProgress?.(results.size, cases.length);
      const waiting = cases.filter(({ name }) => !results.has(name));
      const next = waiting[0];
      if (!next) break;
      // After a crash each case of the batch runs alone, so that the one at fault is known.
      const batch = suspects.has(next.name) ? [next] : waiting.filter((c) => !suspects.has(c.name)).slice(0, batchSize);
      const report = await runBatch(
        pages,
        batch.map((c) => pageCase(c, files.url)),
        options.profile ?? false,
      );
      files.forgetRequests();
      for (const result of report?.results ?? []) {
        const again = result.detail.startsWith('DEVICE_LOST') && !suspects.has(result.name);
        if (again) suspects.add(result.name);
        else results.set(result.name, result);
      }
      if (!report && batch.length === 1) {
        results.set(next.name, notRun(next.name));
      }
      if (!report) for (const { name } of batch) suspects.add(name);
      if (!report || report.broken) await pages.close();
    }
  } finally {
    await pages.close();
    await files.close();
  }
  return cases.map(({ name }) => results.get(name) as CaseResult);
}

function notRun(name: string): CaseResult {
  return { name, verdict: 'error', detail: 'CRASH: the page died', hostSteps: [], milliseconds: 0 };
}

function pageCase({ name, inputs, outputs, dataSets, random }: ConformanceCase, url: string): PageCase {
  return { name, url: `${url}/cases/${encodeURIComponent(name)}`, inputs, outputs, dataSets, random };
}

/** Undefined where the page crashed or fell silent. */
async function runBatch(pages: Pages, cases: readonly PageCase[], profile: boolean): Promise<BatchReport | undefined> {
  const page = await pages.get();
  const answered = new AbortController();
  const silence = delay(patience, undefined, { signal: answered.signal }).catch(() => undefined);
  const report = page
    .evaluate(async ({ url, batch }): Promise<BatchReport> => (await import(/* @vite-ignore */ url)).runBatch(batch), {
      url: '/e2e/conformance/page.ts',
      batch: { cases, profile, time, caseTime },
    })
    .catch(() => undefined);
  try {
    return await Promise.race([report, silence]);
  } finally {
    answered.abort();
  }
}

/** One page at a time, in a browser of its own: a crashed GPU process would outlive a page. */
class Pages {
  private open: { browser: TestBrowser; page: TestPage } | undefined;

  constructor(private readonly options: SuiteOptions) {}

  async get(): Promise<TestPage> {
    if (!this.open) {
      const browser = await openBrowser(this.options.browser);
      const page = await browser.newPage();
      await page.goto(`${this.options.server}/e2e/support/blank.html`);
      this.open = { browser, page };
    }
    return this.open.page;
  }

  async close(): Promise<void> {
    const { open } = this;
    this.open = undefined;
    await open?.browser.close().catch(() => {});
  }
}
