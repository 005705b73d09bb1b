// Watches the JS heaps of a page and its worker, and the memory of its process, while a test does something
// else. Chromium only, since it can be asked.

import { readFileSync } from 'node:fs';
import type { CDPSession } from 'playwright';
import type { TestPage } from './browser-pages';

export class HeapWatch {
  /** Most bytes of JS objects and of the memory behind them, such as typed arrays, since `poll`. */
  peak = 0;
  /** Most anonymous memory that the page's process had since `poll`. */
  processPeak = 0;
  private worker: string | undefined;
  private nextId = 1;
  private readonly waiting = new Map<number, (bytes: number) => void>();
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly cdp: CDPSession,
    private readonly renderers: readonly number[],
  ) {}

  /** To be called before the page starts its worker. */
  static async start(page: TestPage): Promise<HeapWatch> {
    const cdp = await page.cdp();
    const watch = new HeapWatch(cdp, await page.renderers());
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

  /** Anonymous memory of the page's process: what the heap figures would hide, such as detached buffers. */
  processBytes(): number {
    return Math.max(...this.renderers.map(anonymousBytes));
  }

  poll(): void {
    this.peak = 0;
    this.processPeak = 0;
    let turn = 0;
    this.timer = setInterval(() => {
      if (turn++ % 8 === 0) this.processPeak = Math.max(this.processPeak, this.processBytes());
      this.bytes().then(
        (bytes) => {
          this.peak = Math.max(this.peak, bytes);
        },
        // The page may navigate or close meanwhile.
        () => {},
      );
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

function anonymousBytes(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    // The process has ended since.
    return 0;
  }
}
