// `npm test`: types, lint and layers, then the build with its size budget, then every test. Part of it alone:
// `npm run test:unit`, `npm run test:browser -- --browser=firefox`. Other arguments go to Vitest, such as a
// file to run.

import build from './build';
import check from './check';
import { runTool } from './command';
import installBrowsers from './install-browsers';

const parts = ['unit', 'browser'];

export default async function main(args: readonly string[]): Promise<number> {
  const only = optionOf(args, '--only=');
  if (only !== undefined && !parts.includes(only)) {
    console.error(`--only=${only} is unknown; known are ${parts.join(', ')}.`);
    return 1;
  }
  const browsers = optionOf(args, '--browser=');
  if (browsers !== undefined) process.env.LEPTON_BROWSERS = browsers;

  if (only === undefined && (await check()) !== 0) return 1;
  if (only !== 'unit') {
    if ((await installBrowsers()) !== 0) return 1;
    // Page tests of the built library and the demo need them fresh.
    if ((await build()) !== 0) return 1;
  }
  // The build has said 'production', which would turn the tests' dev server into something else.
  delete process.env.NODE_ENV;
  const projects = (only === undefined ? parts : [only]).flatMap((name) => ['--project', name]);
  const rest = args.filter((arg) => !arg.startsWith('--only=') && !arg.startsWith('--browser='));
  return runTool('vitest', ['run', '--config', 'e2e/vitest.config.ts', ...projects, ...rest]);
}

function optionOf(args: readonly string[], prefix: string): string | undefined {
  return args.find((arg) => arg.startsWith(prefix))?.slice(prefix.length);
}
