// The demo site (`vite`, `vite build`) and, as functions that .ci/build.ts calls, the library's bundles.

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type InlineConfig, type Plugin, type Rolldown } from 'vite';
import { compactShaders, withoutCases } from './.ci/bundle-plugins';
import { sharedData } from './.ci/shared-data';

const root = fileURLToPath(new URL('.', import.meta.url));
const bundlePlugins = () => [compactShaders(), withoutCases()];

// Every dependency is an ES module already. Bundling them ahead would reload pages when one is first met.
const optimizeDeps = { noDiscovery: true, include: [] };

/**
 * Workers are classic scripts: they start from a blob, from `worker.js`, and through importScripts. An inlined
 * one has no source map: nothing could fetch a file relative to a blob.
 */
const worker = {
  format: 'iife',
  plugins: () => [...bundlePlugins(), { name: 'lepton:no-source-map', outputOptions: withoutSourceMap }],
} as const;

function withoutSourceMap(options: Rolldown.OutputOptions): Rolldown.OutputOptions {
  return { ...options, sourcemap: false };
}

const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string };
const postBanner = `/*! Lepton ${version}, Apache-2.0. Bundled packages: third-party-licenses.md */`;

/** Names the state of the sources: plans that one state has stored, another does not run. */
function nameBuild(): string {
  const hash = createHash('sha256').update(version);
  for (const folder of ['src', 'shaders']) {
    const names = readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((n) => /\.(ts|wgsl)$/.test(n) && !n.endsWith('.test.ts')).sort()) {
      hash.update(name).update(readFileSync(`${root}${folder}/${name}`));
    }
  }
  return hash.digest('base64url').slice(0, 16);
}

let build: string | undefined;

/** Computed once, so that the files that are built together agree. */
function buildDefine(): Record<string, string> {
  build ??= nameBuild();
  return { 'import.meta.env.LEPTON_BUILD': JSON.stringify(build) };
}

export default defineConfig(({ command }) => ({
  root,
  // Relative addresses, so that the site works from any folder of any host.
  base: './',
  plugins: [...bundlePlugins(), sharedData()],
  worker,
  optimizeDeps,
  // A dev server has no such name: it would hold for one state of the sources only.
  define: command === 'build' ? buildDefine() : {},
  build: {
    outDir: 'dist/site',
    target: 'es2023',
    sourcemap: true,
    rolldownOptions: {
      input: { index: `${root}index.html`, digits: `${root}digits.html`, compress: `${root}compress.html` },
    },
  },
}));

export interface LibraryFile {
  entry: string;
  file: string;
  format: 'es' | 'iife';
  /** For Node, as a command. */
  command?: boolean;
  /** Modules that another file of the library has: where a classic script finds their exports. */
  from?: Readonly<Record<string, string>>;
}

/** An ES module imports them from lepton.mjs. */
const trainingFromLepton = { 'api/shared.ts': 'lepton' };

const trainerFromCompiler = {
  'ops/registry.ts': 'leptonCompiler.modules.registry',
  'plan/make-plan.ts': 'leptonCompiler.modules.makePlan',
  'transform/dead-code.ts': 'leptonCompiler.modules.deadCode',
  'transform/lower.ts': 'leptonCompiler.modules.lower',
  'transform/optimise.ts': 'leptonCompiler.modules.optimise',
  'transform/set-precision.ts': 'leptonCompiler.modules.setPrecision',
  'transform/specialise.ts': 'leptonCompiler.modules.specialise',
};

function takenFrom(modules: Readonly<Record<string, string>>): Plugin {
  return {
    name: 'lepton:taken-from',
    enforce: 'pre',
    async resolveId(source, importer) {
      const found = importer && (await this.resolve(source, importer, { skipSelf: true }));
      const module = found && Object.keys(modules).find((path) => found.id === `${root}src/${path}`);
      return module ? { id: module, external: true } : null;
    },
  };
}

export const libraryFiles: readonly LibraryFile[] = [
  { entry: 'src/api/script-tag.ts', file: 'lepton.js', format: 'iife' },
  { entry: 'src/api/index.ts', file: 'lepton.mjs', format: 'es' },
  { entry: 'src/api/training-script-tag.ts', file: 'lepton-training.js', format: 'iife', from: trainingFromLepton },
  { entry: 'src/api/training.ts', file: 'lepton-training.mjs', format: 'es', from: trainingFromLepton },
  { entry: 'src/worker/compiler-script.ts', file: 'lepton-compiler.js', format: 'iife' },
  { entry: 'src/worker/trainer-script.ts', file: 'lepton-trainer.js', format: 'iife', from: trainerFromCompiler },
  { entry: 'src/worker/standalone.ts', file: 'worker.js', format: 'iife' },
  { entry: 'src/cli/main.ts', file: 'lepton-cli.mjs', format: 'es', command: true },
];

/** One file of the library, with everything it needs inside it, into `outDir`. */
export function libraryBuild(
  { entry, file, format, from = {}, command = false }: LibraryFile,
  outDir = 'dist',
): InlineConfig {
  return {
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    plugins: [...bundlePlugins(), takenFrom(from)],
    worker,
    // A classic script has no import.meta; there the script-tag entry says where the library is.
    define: {
      ...buildDefine(),
      ...(format === 'iife' && { 'import.meta.url': 'undefined' }),
    },
    // Everything is bundled; Dawn is the user's own.
    ...(command && { ssr: { noExternal: true as const, external: ['webgpu'] } }),
    build: {
      outDir,
      emptyOutDir: false,
      ssr: command,
      target: 'es2023',
      sourcemap: true,
      minify: true,
      // These two contain every package that the library bundles; .ci/build.ts makes one file of it.
      license: /^(worker|lepton-training)\.js$/.test(file) ? { fileName: `${file}-licenses.md` } : false,
      rolldownOptions: {
        input: entry,
        // An entry's exports are the library's interface, also where nothing here imports them.
        preserveEntrySignatures: 'strict',
        output: {
          ...{ format, entryFileNames: file, codeSplitting: false },
          // A page without a charset reads its scripts as Latin-1.
          charset: 'ascii',
          postBanner: command ? `#!/usr/bin/env node\n${postBanner}` : postBanner,
          ...(format === 'iife' && { globals: from }),
          ...(format === 'es' && !command && { paths: () => './lepton.mjs' }),
        },
      },
    },
  };
}
