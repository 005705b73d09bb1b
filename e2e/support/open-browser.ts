// One small page interface over the two browsers the tests drive: Chromium through Playwright, Firefox
// through Puppeteer (a stock Firefox speaks WebDriver BiDi, which Playwright does not). Each context is
// a fresh user: own storage and cache. Free of the test runner, so that scripts can use it too.

import { chromium } from 'playwright';
import puppeteer from 'puppeteer-core';
import { chromiumContext, firefoxContext, type TestContext, type TestPage } from './browser-pages';
import { type BrowserName, findBrowser } from './find-browser';

export interface TestBrowser {
  readonly name: BrowserName;
  /** A page of a fresh context, which closes with it; in a `profile`, one more tab of that profile. */
  newPage(): Promise<TestPage>;
  /** Several pages that share storage, such as two tabs of one visitor. */
  newContext(): Promise<TestContext>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** A folder that outlives the browser: opened again, the browser finds its storage as it left it. */
  profile?: string;
  /** Further command line switches (Chromium only). */
  args?: readonly string[];
  /** Further preferences (Firefox only). */
  prefs?: Readonly<Record<string, boolean | number | string>>;
  /** What `prefers-color-scheme` answers; the browser's default unless told. */
  colorScheme?: 'light' | 'dark';
  /** False starts a browser without WebGPU. */
  webgpu?: boolean;
}

// A test must not depend on what a browser fetches for itself.
const quietArgs = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];

/** LEPTON_ADAPTER=hardware asks for the machine's real GPU; the default is the same adapter everywhere. */
function webgpuArgs(): string[] {
  return process.env.LEPTON_ADAPTER === 'hardware'
    ? ['--enable-unsafe-webgpu', '--enable-features=Vulkan']
    : ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
}

/** What Chromium is started with for every test. */
export function chromiumArgs(options: OpenOptions = {}): string[] {
  const gpu = options.webgpu === false ? ['--disable-features=WebGPU', '--disable-gpu'] : webgpuArgs();
  return [...quietArgs, ...gpu, ...(options.args ?? [])];
}

export async function openBrowser(name: BrowserName, options: OpenOptions = {}): Promise<TestBrowser> {
  const executablePath = findBrowser(name);
  if (!executablePath) {
    throw new Error(`No ${name} on this machine. Run \`node .ci/ts.mjs .ci/install-browsers.ts\`, or install it.`);
  }
  return name === 'chromium' ? openChromium(executablePath, options) : openFirefox(executablePath, options);
}

async function openChromium(executablePath: string, options: OpenOptions): Promise<TestBrowser> {
  const scheme = options.colorScheme ? { colorScheme: options.colorScheme } : {};
  const launch = { executablePath, headless: true, args: chromiumArgs(options) };
  if (options.profile) {
    const shared = await chromium.launchPersistentContext(options.profile, { ...launch, ...scheme });
    const context = chromiumContext(shared, () => Promise.resolve());
    return {
      name: 'chromium',
      newPage: () => context.newPage(),
      newContext: () => Promise.resolve(context),
      close: () => shared.close(),
    };
  }
  const browser = await chromium.launch(launch);
  const newContext = async () => {
    const context = await browser.newContext(scheme);
    return chromiumContext(context, () => context.close());
  };
  return { name: 'chromium', newPage: () => lonePage(newContext), newContext, close: () => browser.close() };
}

const colorSchemePref = 'layout.css.prefers-color-scheme.content-override';

async function openFirefox(executablePath: string, options: OpenOptions): Promise<TestBrowser> {
  const webgpu = options.webgpu !== false;
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath,
    headless: true,
    // Operators compile many pipelines on a software adapter: a busy page must not look like a dead one.
    protocolTimeout: 600_000,
    extraPrefsFirefox: {
      'dom.webgpu.enabled': webgpu,
      'dom.webgpu.workers.enabled': webgpu,
      'gfx.webgpu.ignore-blocklist': webgpu,
      ...(options.colorScheme ? { [colorSchemePref]: options.colorScheme === 'dark' ? 0 : 1 } : {}),
      ...options.prefs,
    },
    ...(options.profile ? { userDataDir: options.profile } : {}),
  });
  if (options.profile) {
    const context = firefoxContext(browser.defaultBrowserContext(), () => Promise.resolve());
    return {
      name: 'firefox',
      newPage: () => context.newPage(),
      newContext: () => Promise.resolve(context),
      close: () => browser.close(),
    };
  }
  const newContext = async () => {
    const context = await browser.createBrowserContext();
    return firefoxContext(context, () => context.close());
  };
  return { name: 'firefox', newPage: () => lonePage(newContext), newContext, close: () => browser.close() };
}

async function lonePage(newContext: () => Promise<TestContext>): Promise<TestPage> {
  const context = await newContext();
  const page = await context.newPage();
  return Object.assign(page, { close: () => context.close() });
}
