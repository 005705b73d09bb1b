// The two drivers' pages behind one interface, with only what the tests use and what both can do.
// Functions given to `evaluate` travel as text and run in the page: they see their argument, the page and
// `import()` of server paths, and nothing of the test.

import type { CDPSession, BrowserContext as ChromiumContext, Page as ChromiumPage } from 'playwright';
import type { BrowserContext as FirefoxContext, Page as FirefoxPage } from 'puppeteer-core';

export interface TestContext {
  newPage(): Promise<TestPage>;
  close(): Promise<void>;
}

export interface TestPage {
  /** What the page wrote to its console, oldest first. */
  readonly console: readonly { type: string; text: string }[];
  /** Uncaught exceptions and unhandled rejections of the page. */
  readonly errors: readonly string[];
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Runs in the page; argument and result are JSON. */
  evaluate<R>(fn: () => R | Promise<R>): Promise<R>;
  evaluate<R, A>(fn: (arg: A) => R | Promise<R>, arg: A): Promise<R>;
  /** Waits until the function answers something true; rejects after `timeout` milliseconds (30,000). */
  waitForFunction<A>(fn: (arg: A) => unknown, arg?: A, timeout?: number): Promise<void>;
  setViewport(width: number, height: number): Promise<void>;
  /** A PNG; written to `path` too where one is given. */
  screenshot(options?: { path?: string; fullPage?: boolean }): Promise<Uint8Array>;
  setInputFiles(selector: string, paths: string[]): Promise<void>;
  click(selector: string): Promise<void>;
  /** One key by its name, such as 'Tab', 'Enter', 'ArrowDown'. */
  press(key: string): Promise<void>;
  /** Types text into what has the focus. */
  type(text: string): Promise<void>;
  /** A session of the Chrome DevTools Protocol; throws in Firefox. */
  cdp(): Promise<CDPSession>;
  /** The processes of this browser that run pages, and of no other browser on the machine; throws in Firefox. */
  renderers(): Promise<number[]>;
  close(): Promise<void>;
}

const defaultTimeout = 30_000;
const pollInterval = 50;

type PageFunction = (arg: never) => unknown;

/** The call as an expression. Vitest compiles `import()` to a function of its own, which no page has. */
function callOf(fn: PageFunction, arg: unknown): string {
  const source = fn.toString().replaceAll('__vite_ssr_dynamic_import__', 'import');
  return `(${source})(${JSON.stringify(arg)})`;
}

/** The drivers' own waiting evaluates text within the page, which a Content-Security-Policy may forbid. */
async function poll(ask: () => Promise<unknown>, timeout = defaultTimeout): Promise<void> {
  const end = performance.now() + timeout;
  while (!(await ask())) {
    if (performance.now() > end) throw new Error(`Nothing true came within ${timeout} ms.`);
    await new Promise((resume) => setTimeout(resume, pollInterval));
  }
}

export function chromiumContext(context: ChromiumContext, close: () => Promise<void>): TestContext {
  return { newPage: async () => chromiumPage(await context.newPage()), close };
}

export function firefoxContext(context: FirefoxContext, close: () => Promise<void>): TestContext {
  return { newPage: async () => firefoxPage(await context.newPage()), close };
}

function chromiumPage(page: ChromiumPage): TestPage {
  const messages: { type: string; text: string }[] = [];
  const errors: string[] = [];
  page.on('console', (message) => messages.push({ type: message.type(), text: message.text() }));
  page.on('pageerror', (error) => errors.push(String(error)));
  return {
    console: messages,
    errors,
    goto: async (url) => void (await page.goto(url)),
    reload: async () => void (await page.reload()),
    evaluate: (fn: PageFunction, arg?: unknown) => page.evaluate(callOf(fn, arg)) as Promise<never>,
    waitForFunction: (fn, arg, timeout) => poll(() => page.evaluate(callOf(fn as PageFunction, arg)), timeout),
    setViewport: (width, height) => page.setViewportSize({ width, height }),
    screenshot: (options) => page.screenshot(options),
    setInputFiles: (selector, paths) => page.setInputFiles(selector, paths),
    click: (selector) => page.click(selector),
    press: (key) => page.keyboard.press(key),
    type: (text) => page.keyboard.type(text),
    cdp: () => page.context().newCDPSession(page),
    renderers: () => renderersOf(page),
    close: () => page.close(),
  };
}

async function renderersOf(page: ChromiumPage): Promise<number[]> {
  const browser = await page.context().browser()?.newBrowserCDPSession();
  if (!browser) throw new Error('Playwright does not say which browser has this page.');
  const { processInfo } = await browser.send('SystemInfo.getProcessInfo');
  await browser.detach();
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

function noCdp(): Error {
  return new Error('Firefox has no Chrome DevTools Protocol.');
}

function firefoxPage(page: FirefoxPage): TestPage {
  const messages: { type: string; text: string }[] = [];
  const errors: string[] = [];
  page.on('console', (message) => messages.push({ type: message.type(), text: message.text() }));
  page.on('pageerror', (error) => errors.push(String(error)));
  page.setDefaultTimeout(defaultTimeout);
  return {
    console: messages,
    errors,
    goto: async (url) => void (await page.goto(url)),
    reload: async () => void (await page.reload()),
    evaluate: (fn: PageFunction, arg?: unknown) => page.evaluate(callOf(fn, arg)) as Promise<never>,
    waitForFunction: (fn, arg, timeout) => poll(() => page.evaluate(callOf(fn as PageFunction, arg)), timeout),
    setViewport: (width, height) => page.setViewport({ width, height }),
    screenshot: ({ path, fullPage = false } = {}) =>
      page.screenshot({ fullPage, ...(path ? { path: path as `${string}.png` } : {}) }),
    setInputFiles: async (selector, paths) => {
      const input = await page.waitForSelector(selector);
      await (input as unknown as { uploadFile(...paths: string[]): Promise<void> }).uploadFile(...paths);
    },
    click: (selector) => page.locator(selector).click(),
    press: (key) => page.keyboard.press(key as 'Enter'),
    type: (text) => page.keyboard.type(text),
    cdp: () => Promise.reject(noCdp()),
    renderers: () => Promise.reject(noCdp()),
    close: () => page.close(),
  };
}
