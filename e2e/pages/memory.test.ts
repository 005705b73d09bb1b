// A model of 512 MiB streams from the network through the store to the GPU, and again from the store:
// the JS heap of page and worker never grows by more than 64 MiB. Chromium only, since it can be asked.

import { describe, expect, test } from 'vitest';
import { openBrowser } from '../support/browsers';
import { findBrowser } from '../support/find-browser';
import { HeapWatch } from '../support/heap-watch';
import { openLeptonPage, startLeptonServer } from '../support/lepton-page';
import { large } from './models';

declare const lepton: typeof import('../../src/api');

const layers = 8;
const side = 4096;
const weightBytes = layers * side * side * 4;
const allowed = 64 << 20;

describe.skipIf(!findBrowser('chromium') && !process.env.CI)('a model of 512 MiB', () => {
  test('streams without filling the heap, from the network and from the store', { timeout: 300_000 }, async () => {
    const server = await startLeptonServer();
    server.put('/large.onnx', { bytes: large(layers, side) });
    const weight = Float32Array.of(1 / side);
    const pattern = new Uint8Array(weight.buffer);
    server.put('/weights.bin', {
      size: weightBytes,
      fill: (piece, offset) => {
        for (let i = 0; i < piece.length; i++) piece[i] = pattern[(offset + i) % 4] as number;
      },
    });
    const browser = await openBrowser('chromium');
    const page = await openLeptonPage(browser, server);
    const watch = await HeapWatch.start(page);
    for (const expected of ['network', 'store'] as const) {
      server.forgetRequests();
      const before = { heap: await watch.bytes(), process: watch.processBytes() };
      expect(before.process).toBeGreaterThan(0);
      watch.poll();
      const seen = await page.evaluate(async (side) => {
        const start = performance.now();
        const model = await lepton.load('/large.onnx');
        const x = new lepton.Tensor(
          'float32',
          Float32Array.from({ length: side }, (_, i) => i % 5),
          [1, side],
        );
        const { y } = await model.run({ x });
        await model.dispose();
        return {
          origin: model.report.origin,
          y: (y!.data as Float32Array)[side - 1] as number,
          ms: performance.now() - start,
        };
      }, side);
      watch.stop();
      const heap = (watch.peak - before.heap) / 2 ** 20;
      const process = (watch.processPeak - before.process) / 2 ** 20;
      console.info(
        `512 MiB from the ${expected}: heap +${heap.toFixed(1)} MiB, process +${process.toFixed(1)} MiB, ${seen.ms.toFixed(0)} ms`,
      );
      expect(seen.origin).toBe(expected);
      expect(seen.y).toBeCloseTo(2, 2);
      expect(watch.peak - before.heap).toBeLessThan(allowed);
      // Detached buffers leave the heap's figures, but not the process.
      expect(process * 2 ** 20).toBeLessThan(2 * allowed);
      if (expected === 'store') expect(server.requests.map((r) => r.path)).toEqual([]);
    }
    await browser.close();
    await server.close();
  });
});
