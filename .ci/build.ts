// `npm run build`: the library's files into dist/, its types into dist/types/, the demo site into dist/site/
// (not with --no-site). Prints sizes and line counts; fails where the script-tag file is over its budget.

import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { libraryBuild, libraryFiles } from '../vite.config';
import { root } from './command';
import { writeTypes } from './write-types';

/** Gzipped bytes of dist/lepton.js, the worker inside it included. */
const budget = 60_000;

export default async function main(args: readonly string[] = []): Promise<number> {
  const dist = join(root, 'dist');
  rmSync(dist, { recursive: true, force: true });
  for (const file of libraryFiles) await build(libraryBuild(file));
  joinLicenses(dist);
  if ((await writeTypes(dist)) !== 0) return 1;
  if (!args.includes('--no-site')) {
    await build({ root, configFile: join(root, 'vite.config.ts'), configLoader: 'runner', logLevel: 'warn' });
    // The site's chunks look for them beside themselves, as every embedding of the library does.
    for (const file of ['lepton-compiler.js', 'lepton-trainer.js']) {
      copyFileSync(join(dist, file), join(dist, 'site/assets', file));
    }
  }
  return report(dist);
}

/** The packages inside the bundles, with their licences, as one file. */
function joinLicenses(dist: string): void {
  const files = ['worker.js-licenses.md', 'lepton-training.js-licenses.md'].map((file) => join(dist, file));
  const texts = files.map((file) => readFileSync(file, 'utf8').trim());
  writeFileSync(join(dist, 'third-party-licenses.md'), `${texts.join('\n\n')}\n`);
  for (const file of files) rmSync(file);
}

function report(dist: string): number {
  const rows = libraryFiles.map(({ file }) => {
    const bytes = readFileSync(join(dist, file));
    return { file, bytes: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
  });
  for (const { file, bytes, gzip } of rows) {
    console.log(`dist/${file.padEnd(19)} ${kilobytes(bytes)}, ${kilobytes(gzip)} gzipped`);
  }
  console.log(`src/ ${countLines('src', '.ts')} lines, shaders/ ${countLines('shaders', '.wgsl')} lines`);
  const scriptTag = rows.find(({ file }) => file === 'lepton.js');
  if (scriptTag && scriptTag.gzip > budget) {
    console.error(`dist/lepton.js has ${scriptTag.gzip} bytes gzipped; its budget is ${budget}.`);
    return 1;
  }
  return 0;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1).padStart(6)} KB`;
}

/** Lines of the shipped sources: without tests. */
function countLines(folder: string, extension: string): number {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(extension) && !entry.name.endsWith('.test.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8').split('\n').length - 1)
    .reduce((sum, lines) => sum + lines, 0);
}
