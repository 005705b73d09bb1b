// The library's declarations: tsc emits them for everything the entries reach, then only the files that the
// entries' own types need are kept, with the `.js` endings that Node's module resolution asks for.

import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { runTool } from './command';

const entries = ['api/index.d.ts', 'api/training.d.ts'];

/** Writes `dist/types`; answers tsc's exit status. */
export async function writeTypes(dist: string): Promise<number> {
  const emitted = join(dist, 'types-all');
  const status = await runTool('tsc', ['--project', '.ci/tsconfig.types.json', '--outDir', emitted]);
  if (status === 0) copyReachable(emitted, join(dist, 'types'));
  rmSync(emitted, { recursive: true, force: true });
  return status;
}

function copyReachable(from: string, to: string): void {
  const queue = entries.map((entry) => resolve(from, entry));
  for (const file of queue) {
    const text = readFileSync(file, 'utf8').replace(
      /(\bfrom |\bimport\(|\bimport )(['"])(\.[^'"]*)\2/g,
      (whole, before: string, quote: string, specifier: string) => {
        const target = resolve(dirname(file), specifier);
        const found = [`${target}.d.ts`, join(target, 'index.d.ts')].find((path) => existsSync(path));
        if (!found) return whole;
        if (!queue.includes(found)) queue.push(found);
        const ending = found === `${target}.d.ts` ? '.js' : '/index.js';
        return `${before}${quote}${specifier}${ending}${quote}`;
      },
    );
    const target = join(to, relative(from, file));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  }
}
