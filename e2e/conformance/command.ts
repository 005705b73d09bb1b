// `npm run conformance`: ONNX's own operator cases through the public API in a browser. Prints a table by
// operator and ends with status 1 where a case no longer passes that expected.json lists.
//   --browser=chromium|firefox   default chromium
//   --only=REGEX                 cases whose name matches
//   --folder=PATH                other cases of the same layout; they are compared with nothing
//   --update                     writes expected.json and, from a whole run in Chromium, docs/operators.md

import { join } from 'node:path';
import { root } from '../../.ci/command';
import installBrowsers from '../../.ci/install-browsers';
import { sharedDataFolder } from '../../.ci/shared-data';
import { startDevServer } from '../support/dev-server';
import type { BrowserName } from '../support/find-browser';
import { listCases } from './cases';
import { compareWithExpected, updateExpected } from './expected';
import { writeOperatorsPage } from './operators-page';
import { report } from './report';
import { runSuite } from './run-suite';

export default async function main(args: readonly string[]): Promise<number> {
  const option = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  const unknown = args.filter((arg) => !/^--((browser|only|folder)=.+|update)$/.test(arg));
  const browser = (option('browser') ?? 'chromium') as BrowserName;
  const [only, ownFolder, update] = [option('only'), option('folder'), args.includes('--update')];
  if (unknown.length > 0 || !['chromium', 'firefox'].includes(browser) || (ownFolder !== undefined && update)) {
    console.error('Usage: npm run conformance [-- --browser=chromium|firefox --only=REGEX (--folder=PATH | --update)]');
    return 2;
  }
  process.env.LEPTON_BROWSERS = browser;
  if ((await installBrowsers()) !== 0) return 1;

  const folder = ownFolder ?? join(sharedDataFolder(root), 'onnx-node', 'node');
  const cases = (await listCases(folder)).filter(({ name }) => new RegExp(only ?? '').test(name));
  const server = await startDevServer(root);
  const start = performance.now();
  // What runs on the host is the same everywhere, and Firefox takes long to find out.
  const options = { browser, folder, server: server.url, profile: browser === 'chromium', onProgress };
  const results = await runSuite(cases, options).finally(server.close);
  console.log(report(cases, results));
  console.log(`${((performance.now() - start) / 1000).toFixed(0)} s in ${browser}.`);

  if (ownFolder !== undefined) return 0;
  const { regressions, news } = compareWithExpected(browser, results);
  if (update) {
    updateExpected(browser, cases, results);
    if (only === undefined && browser === 'chromium') writeOperatorsPage(cases, results);
  }
  if (news.length > 0) console.log(`${news.length} pass that expected.json does not list: ${listed(news)}.`);
  for (const { name, verdict, detail } of regressions)
    console.error(`No longer passes: ${name} (${verdict}: ${detail})`);
  return regressions.length > 0 && !update ? 1 : 0;
}

/** On a terminal only: elsewhere it would be a long list of numbers. */
function onProgress(done: number, all: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${all}${done === all ? '\n' : ''}`);
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 20).join(', ');
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
