// Chromium's own trace of a page's tasks, exact to about 0.3 ms; the page marks with `performance.mark` what
// is to be looked at.

import type { CDPSession } from 'playwright';

export interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  readonly dur?: number;
}

/** Traces tasks and marks until `stop`, which answers all events. */
export async function startTrace(cdp: CDPSession): Promise<{ stop(): Promise<TraceEvent[]> }> {
  const events: TraceEvent[] = [];
  cdp.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await cdp.send('Tracing.start', { transferMode: 'ReportEvents', categories: 'toplevel,blink.user_timing' });
  return {
    async stop() {
      const complete = new Promise((resolve) => cdp.once('Tracing.tracingComplete', resolve));
      await cdp.send('Tracing.end');
      await complete;
      return events;
    },
  };
}

/**
 * Milliseconds of the longest task of the thread that set the mark `end`, before that mark; after the mark
 * `begin`, where one is named. Other pages' threads are in the trace too.
 */
export function longestTask(events: readonly TraceEvent[], { begin, end }: { begin?: string; end: string }): number {
  const last = events.find((e) => e.name === end);
  const first = begin === undefined ? undefined : events.find((e) => e.name === begin);
  if (!last || (begin !== undefined && !first)) throw new Error('The trace lacks the marks of the page.');
  const { pid, tid, ts } = last;
  const from = first?.ts ?? 0;
  const tasks = events.filter((e) => e.ph === 'X' && e.pid === pid && e.tid === tid && e.ts > from && e.ts < ts);
  if (tasks.length === 0) throw new Error('The trace lacks the tasks of the page.');
  return Math.max(...tasks.map((e) => e.dur ?? 0)) / 1000;
}
