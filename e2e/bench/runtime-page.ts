// One runtime's page in the browser, opened when first needed and again after a crash or a hang. Every call
// has a time limit; a page that missed it is closed.

import type { TestPage } from '../support/browser-pages';
import type { TestBrowser } from '../support/open-browser';
import type { BenchPage, Prepared } from './pages/runtime';
import type { RuntimeName } from './results';

declare const bench: BenchPage;

const startLimit = 60_000;
const prepareLimit = 180_000;
const runLimit = 90_000;

export class RuntimePage {
  /** What the runtime told of itself when it started. */
  details = '';
  private page: TestPage | undefined;

  constructor(
    readonly name: RuntimeName,
    private readonly browser: TestBrowser,
    private readonly url: string,
  ) {}

  /** Opens the case in `folder` and checks its answer; what goes wrong is in the answer. */
  async prepare(folder: string): Promise<Prepared> {
    try {
      const page = await this.open();
      return await limited(
        page.evaluate((folder) => bench.prepare(folder), folder),
        prepareLimit,
      );
    } catch (error) {
      return { problem: firstLine(error) };
    }
  }

  /** Milliseconds of a run. Throws where the page failed. */
  async time(): Promise<number> {
    const page = await this.open();
    return limited(
      page.evaluate(() => bench.time()),
      runLimit,
    );
  }

  /** Checks what the timed runs answer. */
  async verify(): Promise<Prepared> {
    try {
      const page = await this.open();
      return await limited(
        page.evaluate(() => bench.verify()),
        runLimit,
      );
    } catch (error) {
      return { problem: firstLine(error) };
    }
  }

  /** Frees the case; a page that cannot is closed. */
  async dispose(): Promise<void> {
    const { page } = this;
    if (!page) return;
    await limited(
      page.evaluate(() => bench.dispose()),
      runLimit,
    ).catch(() => this.close());
  }

  async close(): Promise<void> {
    const { page } = this;
    this.page = undefined;
    await page?.close().catch(() => {});
  }

  private async open(): Promise<TestPage> {
    if (this.page) return this.page;
    const page = await this.browser.newPage();
    this.page = page;
    await page.goto(this.url);
    await page.waitForFunction(() => 'bench' in globalThis);
    this.details = await limited(
      page.evaluate(() => bench.start()),
      startLimit,
    );
    return page;
  }
}

/** What `work` answers; rejects where that takes longer than `limit` milliseconds. */
export async function limited<T>(work: Promise<T>, limit: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limit / 1000} s`)), limit);
  });
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** One line on why something in a page failed. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [first = ''] = message.replace(/^page\.\w+: (Uncaught )?(\w*Error: )*/, '').split('\n');
  return first.slice(0, 200);
}
