// Where this machine keeps its browsers: the path of an executable, or undefined. An installed browser
// goes before Playwright's own download, so that a machine without that download can run the tests too.

import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright';

export type BrowserName = 'chromium' | 'firefox';

export function findBrowser(name: BrowserName): string | undefined {
  return name === 'chromium' ? findChromium() : findFirefox();
}

/** The browsers to test in: those of LEPTON_BROWSERS (comma-separated), or both. */
export function wantedBrowsers(): BrowserName[] {
  const all: BrowserName[] = ['chromium', 'firefox'];
  const wanted = process.env.LEPTON_BROWSERS?.split(',').map((name) => name.trim());
  if (!wanted) return all;
  const unknown = wanted.filter((name) => !all.some((known) => known === name));
  if (unknown.length > 0) throw new Error(`LEPTON_BROWSERS names ${unknown.join(', ')}; known are ${all.join(', ')}.`);
  return all.filter((name) => wanted.includes(name));
}

function findChromium(): string | undefined {
  return firstExisting([
    process.env.CHROME_PATH,
    ...onPath('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    chromium.executablePath(),
  ]);
}

function findFirefox(): string | undefined {
  return firstExisting([
    process.env.FIREFOX_PATH,
    ...onPath('firefox-esr', 'firefox'),
    '/Applications/Firefox.app/Contents/MacOS/firefox',
    'C:\\Program Files\\Mozilla Firefox\\firefox.exe',
  ]);
}

function onPath(...names: string[]): string[] {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => join(folder, name)));
}

function firstExisting(paths: (string | undefined)[]): string | undefined {
  return paths.find((path) => path !== undefined && path !== '' && existsSync(path));
}
