// When models are tuned: on a made-up engine, in made-up time.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { IdleTuning, type Tunable } from './tuning-idle';

const quiet = 10;
const long = 1e6;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const later = (time: number) => new Promise<void>((resolve) => setTimeout(resolve, time));
const pause = (time: number) => vi.advanceTimersByTimeAsync(time);

class Fake implements Tunable {
  readonly log: string[] = [];
  constructor(private readonly measuring = 0) {}

  async improve({ budget, signal }: { budget: number; signal: AbortSignal }) {
    this.log.push(budget === long ? 'begins' : 'goes on');
    if (this.measuring > 0) await later(this.measuring);
    if (signal.aborted) {
      this.log.push('aborted');
      throw new Error('aborted');
    }
    return { apply: () => this.log.push('applied'), drop: () => this.log.push('dropped') };
  }
}

const idleTuning = () => new IdleTuning({ quiet, now: () => performance.now() });

test('begins when nothing was asked for a while, and only once', async () => {
  const [idle, model] = [idleTuning(), new Fake()];
  idle.add(model, long);
  expect(model.log).toEqual([]);
  await pause(5 * quiet);
  expect(model.log).toEqual(['begins', 'applied']);
  await idle.during(async () => {});
  await pause(5 * quiet);
  expect(model.log).toEqual(['begins', 'applied']);
});

test('waits while a call is under way, however long', async () => {
  const [idle, model] = [idleTuning(), new Fake()];
  await idle.during(async () => {
    idle.add(model, long);
    await pause(5 * quiet);
    expect(model.log).toEqual([]);
  });
  await pause(5 * quiet);
  expect(model.log).toEqual(['begins', 'applied']);
});

test('a call ends the measuring, which goes on later with what is left of its budget', async () => {
  const [idle, model] = [idleTuning(), new Fake(6 * quiet)];
  idle.add(model, long);
  await pause(3 * quiet);
  await idle.during(() => pause(6 * quiet));
  expect(model.log).toEqual(['begins', 'aborted']);
  await pause(15 * quiet);
  expect(model.log).toEqual(['begins', 'aborted', 'goes on', 'applied']);
});

test('two models are tuned one after the other', async () => {
  const [idle, first, second] = [idleTuning(), new Fake(6 * quiet), new Fake()];
  idle.add(first, long);
  idle.add(second, long);
  await pause(4 * quiet);
  expect([first.log, second.log]).toEqual([['begins'], []]);
  await pause(15 * quiet);
  expect([first.log, second.log]).toEqual([
    ['begins', 'applied'],
    ['begins', 'applied'],
  ]);
});

test('a model that is disposed of meanwhile gets no better plans', async () => {
  const [idle, model] = [idleTuning(), new Fake(5 * quiet)];
  idle.add(model, long);
  await pause(3 * quiet);
  idle.remove(model);
  await pause(10 * quiet);
  expect(model.log).toEqual(['begins', 'aborted']);
});

test('an engine that fails is left alone, and the next one has its turn', async () => {
  const idle = idleTuning();
  const second = new Fake();
  let tries = 0;
  const failing: Tunable = {
    async improve() {
      tries++;
      throw new Error('no device');
    },
  };
  idle.add(failing, long);
  idle.add(second, long);
  await pause(10 * quiet);
  expect([tries, second.log]).toEqual([1, ['begins', 'applied']]);
});
