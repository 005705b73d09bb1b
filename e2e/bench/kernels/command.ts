// `npm run bench:kernels`: Lepton alone, in Node on Dawn, without a browser; see run.ts for its options.
// With --bundle=FOLDER nothing is timed: FOLDER gets all that a machine with Node and a GPU driver needs, to be
// started there by `node bench.mjs`.

import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'vite';
import { root, run } from '../../../.ci/command';
import { sharedDataFolder } from '../../../.ci/shared-data';
import { findDriver } from '../../support/dawn';

export default async function main(args: readonly string[]): Promise<number> {
  const given = args.find((arg) => arg.startsWith('--bundle='))?.slice('--bundle='.length);
  if (given !== undefined) {
    await bundle(given);
    console.log(`Copy ${given} to the machine and run: node bench.mjs --json=results.json`);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'lepton-bench-'));
  try {
    await bundle(folder);
    const driver = process.env.LEPTON_ADAPTER === 'hardware' ? undefined : findDriver();
    return await run(process.execPath, [join(folder, 'bench.mjs'), ...args], {
      LEPTON_DATA: sharedDataFolder(root),
      ...(driver && { VK_ICD_FILENAMES: driver }),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function bundle(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: {
      ssr: join(root, 'e2e/bench/kernels/bundle.ts'),
      outDir: folder,
      emptyOutDir: false,
      minify: true,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: 'bench.mjs', codeSplitting: false } },
    },
    ssr: { noExternal: true },
  });
  const platform = `${process.platform}-${process.arch}`;
  copyFileSync(join(root, `node_modules/webgpu/dist/${platform}/dawn.node`), join(folder, 'dawn.node'));
}
