// The layer check finds what it is there to find, in a small project with one offence of each kind.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { checkLayers } from './check-layers';

function check(files: Record<string, string>): string[] {
  const root = mkdtempSync(join(tmpdir(), 'lepton-layers-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return checkLayers(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test('allows what the design allows', () => {
  const offences = check({
    'shaders/relu.wgsl': '',
    'src/base/dtype.ts': 'export type DType = string;',
    'src/ops/relu.op.ts': "import shader from '../../shaders/relu.wgsl?raw';\nexport default shader;",
    'src/ops/registry.ts': "export const files = import.meta.glob<string>('./*.op.ts', { eager: true });",
    'src/plan/plan.ts': "import '../ops/registry';\nexport interface Plan {}",
    'src/gpu/replay.ts': "import type { Plan } from '../plan/plan';\nexport type P = Plan;",
    'src/worker/main.ts': "import * as Comlink from 'comlink';\nexport interface Api {}\nComlink.expose({});",
    'src/api/index.ts': "import type { Api } from '../worker/main';\nimport W from '../worker/main?worker&inline';",
    'src/api/index.test.ts': "import { x } from '../../anything';",
  });
  expect(offences).toEqual([]);
});

test('names each import that points the wrong way, with its line', () => {
  const offences = check({
    'src/base/dtype.ts': "// head\nimport { plan } from '../plan/plan';",
    'src/plan/plan.ts': "export { device } from '../gpu/device';\nexport const plan = 1;",
    'src/gpu/device.ts': "export const device = 1;\nexport const later = import('../store/store');",
    'src/store/store.ts': "import { PbfReader } from 'pbf';\nimport { get } from 'idb-keyval';\nimport './gone';",
    'src/api/index.ts': "import { start } from '../worker/main';",
    'src/worker/main.ts': 'export const start = 1;',
    'src/attic/old.ts': "import '../base/dtype';",
  });
  expect(offences).toEqual([
    expect.stringMatching(/^src\/api\/index\.ts:1 imports worker .*but api may import only: base, data, type nn/),
    expect.stringMatching(/^src\/attic\/old\.ts:1 is in src\/attic\/, a folder without a layer rule/),
    expect.stringMatching(/^src\/base\/dtype\.ts:2 imports plan .*may import only: nothing/),
    expect.stringMatching(/^src\/gpu\/device\.ts:2 imports store/),
    expect.stringMatching(/^src\/plan\/plan\.ts:1 imports gpu/),
    expect.stringMatching(/^src\/store\/store\.ts:1 imports pbf/),
    'src/store/store.ts:3 imports ./gone, which does not exist',
  ]);
});

test('finds import cycles, also through import.meta.glob', () => {
  const offences = check({
    'src/ops/registry.ts': "export const files = import.meta.glob('./*.op.ts', { eager: true });",
    'src/ops/relu.op.ts': "import { helper } from './helper';\nexport default helper;",
    'src/ops/helper.ts': "import { files } from './registry';\nexport const helper = files;",
  });
  expect(offences).toEqual([
    'src/ops/helper.ts is part of an import cycle: ' +
      'src/ops/helper.ts -> src/ops/registry.ts -> src/ops/relu.op.ts -> src/ops/helper.ts',
  ]);
});
