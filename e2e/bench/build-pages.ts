// Builds what the benchmark's pages load, as a site would ship it: the library's files, and one minified bundle
// for each page, so that no page holds the code of another's runtime.

import { join } from 'node:path';
import { build } from 'vite';
import { root } from '../../.ci/command';
import { libraryBuild, libraryFiles } from '../../vite.config';
import type { RuntimeName } from './results';

/** The pages of those that can train: other pages, so that what only runs models carries nothing of it. */
export const trainingPages = {
  lepton: 'lepton-training',
  'tfjs-webgpu': 'tfjs-training',
  'jax-webgpu': 'jax-training',
} as const satisfies Partial<Record<RuntimeName, string>>;

/** The page that times Lepton's kernels alone. */
export const kernelsPage = 'sparse-kernels' as const;

/** The page that starts with no runtime at all. */
export const floorPage = 'floor' as const;

export type PageName =
  | RuntimeName
  | (typeof trainingPages)[keyof typeof trainingPages]
  | typeof kernelsPage
  | typeof floorPage;

/** Each page's script as `folder`/NAME/page.js; beside Lepton's the library itself. */
export async function buildPages(
  names: readonly (PageName | 'picture' | 'crossover')[],
  folder: string,
): Promise<void> {
  for (const name of names) await buildPage(name, join(folder, name));
  if (!names.includes('lepton')) return;
  for (const file of libraryFiles) {
    if (file.file.startsWith('lepton') && file.format === 'iife')
      await build(libraryBuild(file, join(folder, 'lepton')));
  }
}

function buildPage(name: string, outDir: string): Promise<unknown> {
  const output = {
    format: 'es',
    entryFileNames: 'page.js',
    chunkFileNames: '[hash].js',
    assetFileNames: '[hash][extname]',
  } as const;
  return build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'error',
    // Chunks and assets lie beside the page's script.
    base: './',
    build: {
      outDir,
      target: 'es2023',
      minify: true,
      modulePreload: false,
      assetsInlineLimit: 0,
      rolldownOptions: { input: join(root, 'e2e/bench/pages', `${name}.ts`), output },
    },
  });
}

/** The page of a runtime, for a server that has `folder`/NAME at /NAME. */
export function pageOf(name: PageName): string {
  // As the README has it: begun before the page's own script has come.
  const running = '<script src="/lepton/lepton.js"></script><script>lepton.start()</script>';
  const training = name === 'lepton-training' ? '<script src="/lepton/lepton-training.js"></script>' : '';
  const library = name.startsWith('lepton') ? running + training : '';
  const icon = '<link rel="icon" href="data:,">';
  const script = `<script type="module" src="/${name}/page.js"></script>`;
  return `<!doctype html><meta charset="utf-8"><title>${name}</title>${icon}${library}${script}`;
}

/** Headers without which pages get no shared memory and so no threads. */
export const isolation = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
