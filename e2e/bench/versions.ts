// Which version of each runtime is measured, from its package's own description.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../.ci/command';
import type { BenchResults } from './results';
import type { RuntimePage } from './runtime-page';

const packages = {
  lepton: '.',
  'ort-webgpu': 'node_modules/onnxruntime-web',
  'ort-wasm': 'node_modules/onnxruntime-web',
  'tfjs-webgpu': 'node_modules/@tensorflow/tfjs-backend-webgpu',
  'jax-webgpu': 'node_modules/@jax-js/jax',
} as const;

export function versionsOf(pages: readonly RuntimePage[]): BenchResults['versions'] {
  return Object.fromEntries(
    pages.map(({ name, details }) => {
      const { version } = JSON.parse(readFileSync(join(root, packages[name], 'package.json'), 'utf8'));
      return [name, details === '' ? version : `${version} (${details})`];
    }),
  );
}
