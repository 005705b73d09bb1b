// Runs a TypeScript command on Node 20 through Vite's module runner: `node .ci/ts.mjs FILE.ts [arguments]`,
// after bringing node_modules up to date. The file's default export takes the arguments and answers the
// exit status.

import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import './install.mjs';

const [, , file, ...args] = process.argv;
if (!file) {
  console.error('Usage: node .ci/ts.mjs FILE.ts [arguments]');
  process.exit(1);
}
// Not a static import: those are linked before the installation has run.
const { runnerImport } = await import('vite');
const { NODE_ENV } = process.env;
const options = { configFile: false, logLevel: 'warn' };
const { module } = await runnerImport(pathToFileURL(resolve(file)).href, options);
// The runner sets it to 'development', which would make every later build of the process one for development.
if (NODE_ENV === undefined) delete process.env.NODE_ENV;
process.exitCode = (await module.default(args)) ?? 0;
