// The layer rule: imports between the folders of src/ point one way, some packages have one room each, and
// no files import each other in a ring. Reads every source file; returns one line per offence, with its place.
// Unit tests (*.test.ts) may import what they like.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { parseSync } from 'vite';

/** What a folder of src/ may import besides itself: folders, packages, 'shaders' and 'package.json'. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  base: [],
  ir: ['base'],
  ops: ['base', 'ir', 'shaders'],
  read: ['base', 'ir', 'pbf'],
  transform: ['base', 'ir', 'ops'],
  plan: ['base', 'ir', 'ops'],
  nn: ['base', 'ir', 'ops', 'transform'],
  gpu: ['base', 'type plan', 'shaders'],
  train: ['base', 'ir', 'ops', 'transform', 'plan', 'nn', 'compress', 'write'],
  compress: ['base', 'ir', 'ops', 'read', 'write', 'transform'],
  tune: ['base'],
  data: ['base', 'd3-dsv'],
  write: ['base', 'ir', 'pbf'],
  store: ['base', 'idb-keyval', '@noble/hashes'],
  worker: [
    ...['base', 'ir', 'ops', 'read', 'write', 'transform', 'plan', 'gpu', 'tune', 'nn', 'train', 'compress', 'store'],
    ...['comlink', 'package.json'],
  ],
  api: [
    'base',
    'data',
    'type nn',
    'type compress',
    'type store',
    'type worker',
    'worker script',
    'comlink',
    'package.json',
  ],
  cli: ['base', 'read', 'compress', 'worker', 'webgpu', 'package.json', 'node'],
  demo: ['api', 'chart.js'],
};

interface Import {
  /** As written, without a query such as ?raw. */
  readonly specifier: string;
  readonly line: number;
  readonly typeOnly: boolean;
  /** Imported with Vite's ?worker: a script to start, not code to link. */
  readonly asWorker: boolean;
}

export function checkLayers(root: string): string[] {
  const offences: string[] = [];
  const edges = new Map<string, string[]>();
  for (const file of sourceFiles(join(root, 'src'))) {
    const targets: string[] = [];
    for (const found of importsOf(file)) {
      const place = `${relative(root, file)}:${found.line}`;
      const target = found.specifier.startsWith('.') ? resolveFile(file, found.specifier) : undefined;
      if (found.specifier.startsWith('.') && !target) {
        offences.push(`${place} imports ${found.specifier}, which does not exist`);
        continue;
      }
      const offence = judge(root, file, found, target);
      if (offence) offences.push(`${place} ${offence}`);
      if (target?.endsWith('.ts') && !found.asWorker) targets.push(target);
    }
    edges.set(file, targets);
  }
  return [...offences, ...findRings(edges).map((ring) => describeRing(root, ring))];
}

function judge(root: string, file: string, found: Import, target: string | undefined): string | undefined {
  const from = roomOf(root, file);
  const to = target === undefined ? packageOf(found.specifier) : roomOf(root, target);
  if (from === to) return undefined;
  const rules = allowed[from];
  if (!rules) return `is in src/${from}/, a folder without a layer rule in .ci/check-layers.ts`;
  if (rules.includes(to)) return undefined;
  if (found.typeOnly && rules.includes(`type ${to}`)) return undefined;
  if (found.asWorker && rules.includes(`${to} script`)) return undefined;
  const list = rules.length > 0 ? rules.join(', ') : 'nothing';
  return `imports ${found.typeOnly ? 'types of ' : ''}${to} (${found.specifier}), but ${from} may import only: ${list}`;
}

/** The folder under src/, or the top-level folder such as 'shaders'. */
function roomOf(root: string, file: string): string {
  const [top = '', second = ''] = relative(root, file).split(sep);
  return top === 'src' ? second : top;
}

function packageOf(specifier: string): string {
  if (specifier.startsWith('node:')) return 'node';
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function importsOf(file: string): Import[] {
  const code = readFileSync(file, 'utf8');
  const { module, errors } = parseSync(file, code);
  if (errors[0]) throw new Error(`${file}: ${errors[0].message}`);
  const out: Import[] = [];
  const add = (written: string, start: number, typeOnly: boolean) => {
    const [specifier = '', query = ''] = written.split('?');
    const line = code.slice(0, start).split('\n').length;
    out.push({ specifier, line, typeOnly, asWorker: query.split('&').includes('worker') });
  };
  for (const { moduleRequest, entries, start } of module.staticImports) {
    add(moduleRequest.value, start, entries.length > 0 && entries.every((entry) => entry.isType));
  }
  for (const { entries, start } of module.staticExports) {
    const from = entries.find((entry) => entry.moduleRequest)?.moduleRequest;
    if (from)
      add(
        from.value,
        start,
        entries.every((entry) => entry.isType),
      );
  }
  for (const { moduleRequest, start } of module.dynamicImports) {
    // `import('./x')` in a type position is listed here too, and then is not linked; the direction holds for both.
    const written = /^['"`]([^'"`$]*)['"`]$/.exec(code.slice(moduleRequest.start, moduleRequest.end));
    if (written?.[1]) add(written[1], start, false);
  }
  for (const [, pattern = ''] of code.matchAll(/import\.meta\.glob(?:<[^(]*>)?\(\s*'([^']+)'/g)) {
    const start = code.indexOf(`'${pattern}'`);
    for (const match of expandGlob(file, pattern)) add(match, start, false);
  }
  return out;
}

/** Patterns with `*` in the last part only, which is all that the project uses. */
function expandGlob(file: string, pattern: string): string[] {
  const folder = resolve(dirname(file), dirname(pattern));
  const test = new RegExp(`^${basename(pattern).replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => test.test(name) && !name.endsWith('.test.ts'))
    .map((name) => `${dirname(pattern)}/${name}`);
}

function resolveFile(from: string, specifier: string): string | undefined {
  const path = resolve(dirname(from), specifier);
  const candidates = [path, `${path}.ts`, `${path}.d.ts`, join(path, 'index.ts')];
  return candidates.find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile());
}

/** One ring per set of files that reach each other, found as a path back to a file that is being visited. */
function findRings(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const rings: string[][] = [];
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    const at = path.indexOf(file);
    if (at >= 0) {
      rings.push(path.slice(at));
      return;
    }
    if (done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return rings;
}

function describeRing(root: string, ring: readonly string[]): string {
  const names = [...ring, ring[0] as string].map((file) => relative(root, file));
  return `${names[0]} is part of an import cycle: ${names.join(' -> ')}`;
}
