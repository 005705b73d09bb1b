// Choosing kernels by measuring, on a device in Node: what is chosen, kept and shown, and that answers stay the
// same, whichever kernels take over and whenever they do.

import { expect, it } from 'vitest';
import type { NDArray } from '../../src/base/ndarray';
import type { Choice, Tuning } from '../../src/base/tuning';
import type { TuningStore } from '../../src/store/tuning';
import { Devices } from '../../src/worker/devices';
import { compare } from '../ops/harness';
import { describeDawn } from '../support/dawn';
import { type OpenModel, openOnGpu } from '../support/engines';
import { Contrary } from './contrary';
import { dense, denseFeeds, softmax, softmaxFeeds, sparseFeeds, sparseProduct } from './models';

class MemoryStore implements TuningStore {
  readonly kept = new Map<string, { rates: Tuning['rates']; choices: Map<string, Choice> }>();
  /** Every problem that was decided, in order. */
  readonly decided: string[] = [];

  async read() {
    return this.kept;
  }

  async add(adapter: string, found: Tuning) {
    const known = this.kept.get(adapter) ?? { rates: undefined, choices: new Map() };
    this.decided.push(...found.choices.keys());
    const choices = new Map([...known.choices, ...found.choices]);
    this.kept.set(adapter, { rates: found.rates ?? known.rates, choices });
  }

  async clear() {
    this.kept.clear();
  }
}

async function kernelsOf(model: OpenModel, feeds: Readonly<Record<string, NDArray>>) {
  const { nodes } = await model.profile(feeds);
  return nodes.map(({ kernel, chosenBy }) => ({ kernel, chosenBy }));
}

const anySignal = () => new AbortController().signal;

describeDawn('tuning on Dawn', (dawn) => {
  it('measures before the first run, shows what it chose, and never measures it again', async () => {
    const store = new MemoryStore();
    const plain = await openOnGpu(dawn.gpu, dense);
    const expected = await plain.run(denseFeeds);
    await plain.dispose();

    const tuned = await openOnGpu(dawn.gpu, dense, { devices: new Devices(dawn.gpu, store), tune: 'full' });
    const progress: [number, number][] = [];
    const dims = new Map([['x', [1, 67]]]);
    await tuned.engine.prepare(dims, { signal: anySignal(), onTune: (...p) => progress.push(p) });
    expect(progress[0]).toEqual([0, 2]);
    expect(progress.at(-1)).toEqual([2, 2]);
    const answer = await tuned.run(denseFeeds);
    expect(compare(answer.y as NDArray, expected.y as NDArray, 1e-5)).toBeUndefined();
    const { nodes, adapter } = await tuned.profile(denseFeeds);
    expect(nodes.map((n) => n.chosenBy)).toEqual(['measurement', 'measurement']);
    expect(adapter?.flopsPerSecond).toBeGreaterThan(1e8);
    expect(adapter?.bytesPerSecond).toBeGreaterThan(1e7);
    for (const node of nodes) if (node.gpuTime) expect(node.roofline).toBeGreaterThan(0);
    await tuned.dispose();
    expect(store.decided).toHaveLength(2);

    const later = await openOnGpu(dawn.gpu, dense, { devices: new Devices(dawn.gpu, store), tune: 'full' });
    const again: [number, number][] = [];
    await later.engine.prepare(dims, { signal: anySignal(), onTune: (...p) => again.push(p) });
    expect(again).toEqual([[0, 0]]);
    expect(await kernelsOf(later, denseFeeds)).toEqual(nodes.map(({ kernel, chosenBy }) => ({ kernel, chosenBy })));
    await later.dispose();
    expect(store.decided).toHaveLength(2);
  });

  it('shows of sparse weights what the best dense kernel took beside the chosen one, or the best sparse one', async () => {
    const model = await openOnGpu(dawn.gpu, sparseProduct(), { tune: 'full' });
    await model.engine.prepare(new Map([['x', [1, 256]]]), { signal: anySignal() });
    const [{ kernel, chosenBy, sparsity } = {}] = (await model.profile(sparseFeeds)).nodes;
    await model.dispose();
    expect(chosenBy).toBe('measurement');
    expect(sparsity?.zeros).toBeCloseTo(15 / 16, 3);
    expect(sparsity?.rival?.kernel.startsWith('sparse')).toBe(!kernel?.startsWith('sparse'));
    expect(sparsity?.rival?.timesSlower).toBeGreaterThan(0.9);
  });

  it('other kernels take over between runs, with the same answers', async () => {
    const devices = new Devices(dawn.gpu);
    const shared = await devices.get();
    Object.assign(shared, { tuner: new Contrary(shared.device) });
    const model = await openOnGpu(dawn.gpu, dense, { devices, tune: 'auto' });
    const first = await model.run(denseFeeds);
    const before = await kernelsOf(model, denseFeeds);
    const improvement = await model.engine.improve({ budget: 1e3, signal: anySignal() });

    const during = model.run(denseFeeds);
    improvement?.apply();
    const answers = [await during, await model.run(denseFeeds)];
    const after = await kernelsOf(model, denseFeeds);
    expect(before.map((n) => n.chosenBy)).toEqual(['estimate', 'estimate']);
    expect(after.map((n) => n.chosenBy)).toEqual(['measurement', 'measurement']);
    after.forEach(({ kernel }, i) => {
      expect(kernel).not.toBe(before[i]?.kernel);
    });
    for (const { y } of answers) expect(compare(y as NDArray, first.y as NDArray, 1e-5)).toBeUndefined();
    await model.dispose();
  });

  it('a plan that is dropped leaves the old one in use', async () => {
    const devices = new Devices(dawn.gpu);
    const shared = await devices.get();
    Object.assign(shared, { tuner: new Contrary(shared.device) });
    const model = await openOnGpu(dawn.gpu, dense, { devices, tune: 'auto' });
    const first = await model.run(denseFeeds);
    (await model.engine.improve({ budget: 1e3, signal: anySignal() }))?.drop();
    expect(await model.run(denseFeeds)).toEqual(first);
    await model.dispose();
  });

  it('an abort ends it, and leaves a model that runs', async () => {
    const store = new MemoryStore();
    const model = await openOnGpu(dawn.gpu, dense, { devices: new Devices(dawn.gpu, store), tune: 'full' });
    const stop = new AbortController();
    const onTune = () => stop.abort();
    const preparing = model.engine.prepare(new Map([['x', [1, 67]]]), { signal: stop.signal, onTune });
    await expect(preparing).rejects.toMatchObject({ code: 'ABORTED' });
    expect(store.decided).toEqual([]);
    expect((await model.run(denseFeeds)).y?.dims).toEqual([1, 130]);
    expect(store.decided).toHaveLength(2);
    await model.dispose();
  });

  it('two models tuned at once measure what they share once', async () => {
    const store = new MemoryStore();
    const devices = new Devices(dawn.gpu, store);
    const open = (rows: number) => openOnGpu(dawn.gpu, softmax(rows), { devices, tune: 'full' });
    const models = await Promise.all([open(9), open(9), open(10)]);
    const answers = await Promise.all(models.map((model, i) => model.run(softmaxFeeds(i < 2 ? 9 : 10))));
    for (const { y } of answers) {
      const sum = Array.from(y?.data ?? []).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(y?.dims[0] ?? 0, 3);
    }
    expect(new Set(store.decided).size).toBe(2);
    expect(store.decided).toHaveLength(2);
    for (const model of models) model.engine.dispose();
    (await devices.get()).device.handle.destroy();
  });
});
