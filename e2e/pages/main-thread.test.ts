// The page stays responsive: while a real model loads and runs, its main thread has no task over 16 ms.
// Chromium's trace times every task; Firefox has no trace, so there a message to oneself tells how long the
// thread was away. That includes what others take of the processor, and a software adapter takes all of it:
// there the limit is the 50 ms from which W3C calls a task long. What others take comes and goes; a task of
// Lepton's own would be long every time, so the best of a few rounds decides.

import type { CDPSession } from 'playwright';
import { expect, test } from 'vitest';
import { describeBrowsers, type TestPage } from '../support/browsers';
import { dataPath, describeWithData } from '../support/data';
import { openLeptonPage, startLeptonServer } from '../support/lepton-page';

declare const lepton: typeof import('../../src/api');

/** Milliseconds: a frame, and a long task. */
const limits = { chromium: 16, firefox: 50 };
const mostRounds = 6;
const markName = 'lepton-watch';

describeWithData('main thread', () => {
  describeBrowsers('with a real model', (browser) => {
    test('has no long task while a model loads and runs', async () => {
      const server = await startLeptonServer();
      server.mount('/models', dataPath('models'));
      const rounds: number[] = [];
      const longest = limits[browser.name];
      do {
        const page = await openLeptonPage(browser, server);
        const trace = browser.name === 'chromium' ? await startTrace(await page.cdp()) : undefined;
        const gap = await loadAndRun(page, trace === undefined);
        rounds.push(trace ? await trace.stop() : gap);
        await page.close();
      } while (Math.min(...rounds) >= longest && rounds.length < mostRounds);
      console.info(`${browser.name}: longest main-thread task ${rounds.map((ms) => ms.toFixed(1)).join(', then ')} ms`);
      expect(Math.min(...rounds)).toBeLessThan(longest);
      await server.close();
    });
  });
});

/** Loads and runs a face detector; with `watch`, answers the third longest gap between turns of the event loop in ms. */
function loadAndRun(page: TestPage, watch: boolean): Promise<number> {
  return page.evaluate(
    async ({ watch, markName }) => {
      performance.mark(`${markName} begin`);
      const gaps = [0, 0, 0];
      let watching = watch;
      let last = performance.now();
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        const now = performance.now();
        const gap = now - last;
        if (gap > (gaps[2] as number))
          gaps.splice(
            gaps.findIndex((g) => gap > g),
            0,
            gap,
          );
        last = now;
        if (watching) port2.postMessage(0);
      };
      port2.postMessage(0);
      const url = '/models/ultraface-slim-320/version-slim-320.onnx';
      const model = await lepton.load(url, { onProgress: () => {} });
      const input = new lepton.Tensor('float32', new Float32Array(3 * 240 * 320), [1, 3, 240, 320]);
      for (let i = 0; i < 3; i++) await model.run({ input });
      watching = false;
      performance.mark(`${markName} end`);
      return gaps[2] as number;
    },
    { watch, markName },
  );
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
}

/** Traces the tasks of the page's main thread; `stop` gives the longest one's milliseconds between the marks. */
async function startTrace(cdp: CDPSession): Promise<{ stop(): Promise<number> }> {
  const events: TraceEvent[] = [];
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await cdp.send('Tracing.start', { transferMode: 'ReportEvents', categories: 'toplevel,blink.user_timing' });
  return {
    async stop() {
      const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve));
      await cdp.send('Tracing.end');
      await complete;
      // Other pages' threads are in the trace too, and what the test itself does; this page's carries marks.
      const [begin, end] = ['begin', 'end'].map((part) => events.find((e) => e.name === `${markName} ${part}`));
      if (!begin || !end) throw new Error('The trace lacks the marks of the page.');
      const { pid, tid, ts } = begin;
      const tasks = events.filter((e) => e.ph === 'X' && e.pid === pid && e.tid === tid && e.ts > ts && e.ts < end.ts);
      expect(tasks.length).toBeGreaterThan(0);
      return Math.max(...tasks.map((e) => e.dur ?? 0)) / 1000;
    },
  };
}
