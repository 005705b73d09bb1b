// An application that has the package from a bundler, which names the library's files as it likes: the compiler, and the part
// that trains, come along and are found.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBrowsers } from '../support/browsers';
import { startServer, type TestServer } from '../support/server';

const root = fileURLToPath(new URL('../..', import.meta.url));

const application = {
  'package.json': '{ "type": "module" }',
  'index.html': '<!doctype html><meta charset="utf-8"><title>App</title><script type="module" src="/main.js"></script>',
  'main.js': `
    import { load, Tensor } from 'lepton-ml';
    import { compress, layers, sequential } from 'lepton-ml/training';

    async function run() {
      const network = sequential([layers.dense({ units: 8, inputShape: [4] }), layers.dense({ units: 2 })]);
      network.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      const { history } = await network.fit(new Tensor('float32', new Float32Array(8).fill(1), [2, 4]),
        new Tensor('float32', new Float32Array(4), [2, 2]), { epochs: 1, batchSize: 2, seed: 1 });
      const { bytes } = await compress(await network.toOnnx(), { prune: 0.5 });
      const model = await load(bytes);
      const answers = await model.run({ [model.inputs[0].name]: new Tensor('float32', new Float32Array(4), [1, 4]) });
      return { losses: history.loss.length, dims: Object.values(answers)[0].dims };
    }
    run()
      .catch((error) => ({ code: error.code, message: error.message }))
      .then((result) => { document.documentElement.dataset.result = JSON.stringify(result); });`,
};

let folder = '';
let server: TestServer;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lepton-app-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(root, join(folder, 'node_modules/lepton-ml'), 'dir');
  for (const [name, text] of Object.entries(application)) writeFileSync(join(folder, name), text);
  await build({ root: folder, configFile: false, logLevel: 'error', build: { outDir: 'built', minify: false } });
  server = await startServer();
  server.mount('/app', join(folder, 'built'));
  server.mount('/assets', join(folder, 'built/assets'));
}, 60_000);
afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

test('each file of the library that is fetched is an asset with a name of the bundler', () => {
  const assets = readdirSync(join(folder, 'built/assets'));
  expect(assets.some((name) => /^lepton-compiler-.+\.js$/.test(name))).toBe(true);
  expect(assets.some((name) => /^lepton-trainer-.+\.js$/.test(name))).toBe(true);
});

describeBrowsers('an application made by Vite', (browser) => {
  test('runs, trains and compresses', async () => {
    const page = await browser.newPage();
    try {
      await page.goto(`${server.url}/app/index.html`);
      await page.waitForFunction(() => document.documentElement.dataset.result, undefined, 60_000);
      const result = await page.evaluate(() => document.documentElement.dataset.result ?? '{}');
      expect(JSON.parse(result)).toEqual({ losses: 1, dims: [1, 2] });
    } finally {
      await page.close();
    }
  });
});
