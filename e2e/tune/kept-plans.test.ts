// Plans that are kept for the next visit, and measuring: what one visit has not got to another does, and a plan never
// meets weights that another has packed, wherever a visit ends.

import { expect, it, vi } from 'vitest';
import type { NDArray } from '../../src/base/ndarray';
import type { Derived } from '../../src/store';
import { type Blueprint, lazyBlueprint } from '../../src/worker/blueprint';
import { Devices } from '../../src/worker/devices';
import { fromBytes } from '../../src/worker/plain-data';
import { type CachedPlan, PlanCache } from '../../src/worker/plan-cache';
import { compare } from '../ops/harness';
import { describeDawn } from '../support/dawn';
import { openOnGpu } from '../support/engines';
import { MemorySource } from '../support/memory-source';
import { Contrary } from './contrary';
import { denseOf, rowsFeeds } from './models';

/** Records in memory, and what they were whenever one was added. */
class Records implements Derived {
  readonly history: ReadonlyMap<string, Uint8Array<ArrayBuffer>>[] = [];

  constructor(private readonly records = new Map<string, Uint8Array<ArrayBuffer>>()) {}

  async get(key: string) {
    return this.records.get(key);
  }

  async source(key: string) {
    const bytes = this.records.get(key);
    return bytes && new MemorySource(bytes);
  }

  async put(key: string, bytes: Parameters<Derived['put']>[1]) {
    this.records.set(key, (await bytes.read(0, bytes.size)).slice());
    this.history.push(new Map(this.records));
    return true;
  }

  async remove(key: string) {
    this.records.delete(key);
  }

  get plan(): CachedPlan | undefined {
    const [, bytes] = [...this.records].find(([key]) => key.startsWith('["plan"')) ?? [];
    return bytes && (fromBytes(bytes) as CachedPlan);
  }

  get weights(): string[] {
    return [...this.records.keys()].flatMap((key) => (key.startsWith('["weights"') ? [JSON.parse(key)[1]] : []));
  }
}

const anySignal = () => new AbortController().signal;

describeDawn('kept plans and measuring', (dawn) => {
  /** A visit, on a device whose tuner contradicts the estimate. */
  async function visit(records: Records, summarised: boolean) {
    const devices = new Devices(dawn.gpu);
    const shared = await devices.get();
    Object.assign(shared, { tuner: new Contrary(shared.device) });
    const reads = { count: 0 };
    const bare = await openOnGpu(dawn.gpu, denseOf(96));
    const read = async () => {
      reads.count++;
      const { blueprint } = (bare.engine as unknown as { options: { blueprint: Blueprint } }).options;
      return blueprint.read();
    };
    const summary = {
      inputs: [{ name: 'x', type: 'float32' as const, shape: [96, 67] }],
      outputs: [{ name: 'y', type: 'float32' as const, shape: [96, 130] }],
      files: [],
      hostSteps: [],
    };
    const options = { precision: 'auto', allowPrecisionLoss: false, tune: 'auto', files: [] } as const;
    const plans = new PlanCache(records, summary, options, summarised);
    const blueprint = lazyBlueprint(summary, read);
    const model = await openOnGpu(dawn.gpu, denseOf(96), { devices, tune: 'auto', blueprint, plans });
    const close = async () => {
      await model.dispose();
      await bare.dispose();
    };
    return { model, reads, close };
  }

  const improve = async ({ model }: Awaited<ReturnType<typeof visit>>) =>
    (await model.engine.improve({ budget: 1e3, signal: anySignal() }))?.apply();

  it('a plan that was never measured is, on a later visit, and not again after that', async () => {
    const records = new Records();
    const first = await visit(records, false);
    const { y } = await first.model.run(rowsFeeds);
    await vi.waitFor(() => expect(records.plan?.measured).toBe(false));
    await first.close();

    const second = await visit(records, true);
    await second.model.run(rowsFeeds);
    expect(second.reads.count).toBe(0);
    await improve(second);
    expect(second.reads.count).toBe(1);
    await vi.waitFor(() => expect(records.plan?.measured).toBe(true));
    await second.close();

    const third = await visit(records, true);
    const answer = await third.model.run(rowsFeeds);
    expect(compare(answer.y as NDArray, y as NDArray, 1e-5)).toBeUndefined();
    const { nodes } = await third.model.profile(rowsFeeds);
    expect(nodes.map(({ chosenBy }) => chosenBy)).toEqual(['measurement', 'measurement']);
    await improve(third);
    expect(third.reads.count).toBe(0);
    await third.close();
  });

  it('whenever a visit ends, the next one answers the same', async () => {
    const records = new Records();
    const first = await visit(records, false);
    const { y } = await first.model.run(rowsFeeds);
    await first.model.engine.settle();
    await vi.waitFor(() => expect(records.weights).toEqual([records.plan?.packed?.id]));
    const [before] = records.weights;
    await improve(first);
    // Another plan packs in another way, or not at all.
    await first.model.engine.settle();
    await vi.waitFor(() => expect(records.weights).not.toContain(before));
    await vi.waitFor(() => expect(records.plan?.packed?.id).toBe(records.weights[0]));
    await first.close();

    for (const left of records.history) {
      const next = await visit(new Records(new Map(left)), left.has('model'));
      const answer = await next.model.run(rowsFeeds);
      expect(compare(answer.y as NDArray, y as NDArray, 1e-5)).toBeUndefined();
      await next.close();
    }
  });
});
