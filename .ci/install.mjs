// Brings node_modules up to date with the lock file, and does nothing when it already is. Plain JavaScript
// without imports from node_modules, because it is what runs before anything has been installed.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Lepton's tools need Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

if (!upToDate()) {
  console.log('Installing the packages of package-lock.json …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const result = spawnSync(npm, ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** npm leaves node_modules/.package-lock.json behind: what is installed, in the lock file's own words. */
function upToDate() {
  const installed = read(join(root, 'node_modules/.package-lock.json'));
  const wanted = read(join(root, 'package-lock.json'));
  if (!installed || !wanted) return false;
  return Object.entries(wanted.packages).every(
    ([path, entry]) =>
      path === '' ||
      (installed.packages[path]
        ? installed.packages[path].version === entry.version
        : entry.optional === true || entry.devOptional === true),
  );
}

function read(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}
