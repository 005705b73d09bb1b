// A browser whose IndexedDB never says whether it opens: models load without it, and what cannot do without says so.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { startLeptonServer } from '../support/lepton-page';
import type { TestServer } from '../support/server';
import { dense } from './models';

declare const lepton: typeof import('../../src/api') & typeof import('../../src/api/training');

/** Requests that fire no event, in a worker that is Lepton's otherwise. */
const hungWorker = `
  IDBFactory.prototype.open = () => new EventTarget();
  IDBFactory.prototype.databases = () => new Promise(() => {});
  importScripts('/dist/worker.js');
`;

describeBrowsers('a database that does not open', (browser) => {
  let server: TestServer;
  let page: TestPage;
  beforeAll(async () => {
    server = await startLeptonServer();
    server.put('/dense.onnx', { bytes: dense });
    server.put('/hung.js', { text: hungWorker });
    server.put('/page', {
      text: '<!doctype html><title>Lepton</title><script src="/dist/lepton.js"></script><script src="/dist/lepton-training.js"></script>',
      headers: { 'Content-Type': 'text/html' },
    });
    page = await browser.newPage();
    await page.goto(`${server.url}/page`);
  });
  afterAll(async () => {
    await page.close();
    await server.close();
  });

  test('is not waited for without the cache, and not for long with it; what it alone can keep says so', async () => {
    const seen = await page.evaluate(async () => {
      const workerUrl = '/hung.js';
      const answer = async (options: { cache: boolean }) => {
        const model = await lepton.load('/dense.onnx', { ...options, workerUrl });
        const { y } = await model.run({ x: new lepton.Tensor('float32', [1, 2, 3], [1, 3]) });
        return [...(y!.data as Float32Array)];
      };
      const order: string[] = [];
      const listing = lepton.cache.list({ workerUrl }).then((files) => {
        order.push('the database was given up');
        return files;
      });
      const failed = ({ code, message }: { code: string; message: string }) => ({ code, message });
      const refused = Promise.all([
        lepton.checkpoints.list({ workerUrl }).catch(failed),
        lepton.loadModel('indexeddb://circle', { workerUrl }).catch(failed),
      ]);
      const without = await answer({ cache: false });
      order.push('the model ran');
      const cached = await answer({ cache: true });
      const usage = await lepton.cache.usage({ workerUrl });
      return { order, without, cached, files: await listing, usage, refused: await refused };
    });
    expect(seen).toMatchObject({ without: [14.5, 0], cached: [14.5, 0], files: [], usage: { bytes: 0, files: 0 } });
    expect(seen.order).toEqual(['the model ran', 'the database was given up']);
    for (const failure of seen.refused) {
      expect(failure).toMatchObject({
        code: 'UNSUPPORTED_OPERATION',
        message: expect.stringContaining('"lepton-checkpoints" does not open'),
      });
    }
  });
});
