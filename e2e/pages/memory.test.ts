// A model of 512 MiB streams from the network through the store to the GPU, and again from the store:
// the JS heap of page and worker never grows by more than 64 MiB. Chromium only, since it can be asked.

import { readdirSync, readFileSync } from 'node:fs';
import type { CDPSession } from 'playwright';
import { describe, expect, test } from 'vitest';
import { openBrowser, type TestPage } from '../support/browsers';
import { findBrowser } from '../support/find-browser';
import { openLeptonPage, startLeptonServer } from '../support/lepton-page';
import { large } from './models';

declare const lepton: typeof import('../../src/api');

const layers = 8;
const side = 4096;
const weightBytes = layers * side * side * 4;
const allowed = 64 << 20;

/** Bytes of typed arrays and other memory behind JS objects, of page and worker. */
class HeapWatch {
  peak = 0;
  /** Most anonymous memory that the page's process had. */
  processPeak = 0;
  private worker: string | undefined;
  private nextId = 1;
  private readonly waiting = new Map<number, (bytes: number) => void>();
  private timer: NodeJS.Timeout | undefined;

  private constructor(private readonly cdp: CDPSession) {}

  static async start(page: TestPage): Promise<HeapWatch> {
    const cdp = await page.cdp();
    const watch = new HeapWatch(cdp);
    cdp.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') watch.worker = sessionId;
    });
    cdp.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result } = JSON.parse(message) as { id: number; result?: HeapUsage };
      watch.waiting.get(id)?.(heapBytes(result));
      watch.waiting.delete(id);
    });
    await cdp.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return watch;
  }

  async bytes(): Promise<number> {
    const page = heapBytes((await this.cdp.send('Runtime.getHeapUsage')) as HeapUsage);
    return page + (this.worker ? await this.workerBytes(this.worker) : 0);
  }

  poll(): void {
    this.peak = 0;
    this.processPeak = 0;
    let turn = 0;
    this.timer = setInterval(() => {
      if (turn++ % 8 === 0) this.processPeak = Math.max(this.processPeak, rendererBytes());
      void this.bytes().then((bytes) => {
        this.peak = Math.max(this.peak, bytes);
      });
    }, 15);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private workerBytes(sessionId: string): Promise<number> {
    const id = this.nextId++;
    return new Promise((resolve) => {
      this.waiting.set(id, resolve);
      const message = JSON.stringify({ id, method: 'Runtime.getHeapUsage' });
      this.cdp.send('Target.sendMessageToTarget', { sessionId, message }).catch(() => resolve(0));
    });
  }
}

interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

function heapBytes(usage: HeapUsage | undefined): number {
  return (usage?.usedSize ?? 0) + (usage?.backingStorageSize ?? 0);
}

/** Anonymous memory of the page's process: what the heap figures would hide, such as detached buffers. */
function rendererBytes(): number {
  let most = 0;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (!command.includes('--type=renderer')) continue;
      const kilobytes = Number(/RssAnon:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
      most = Math.max(most, kilobytes * 1024);
    } catch {
      // The process has ended since.
    }
  }
  return most;
}

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
      const before = { heap: await watch.bytes(), process: rendererBytes() };
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
