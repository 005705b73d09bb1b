import { describe, expect, it } from 'vitest';
import { type Memory, type Move, placeMemories } from './place';
import type { PlanPipeline, PlanStep } from './plan';

const copying: PlanPipeline = {
  label: 'copy',
  wgsl: '',
  constants: {},
  bindings: [
    { binding: 0, access: 'read' },
    { binding: 1, access: 'read_write' },
  ],
};
type Dispatched = PlanStep & { readonly kind: 'dispatch' };
const step = (from: number, to: number): Dispatched => ({
  kind: 'dispatch',
  pipeline: 0,
  buffers: [from, to],
  uniform: undefined,
  workgroups: [1, 1, 1],
  node: 0,
});
const slot = (bytes: number): Memory => ({ role: 'slot', bytes, label: '' });
const place = (memories: Memory[], steps: PlanStep[], moves: Move[], beside = false) =>
  placeMemories({ memories, steps, pipelines: [copying], moves, besides: [beside] });

describe('places', () => {
  // 0 is the input, 1 and 2 are written and joined to 3, which 4, the output, is made of.
  const input: Memory = { role: 'input', bytes: 512, label: '' };
  const output: Memory = { role: 'output', bytes: 1024, label: '' };
  const joined = (memories: Memory[], first: PlanStep, second: PlanStep, offset: number) =>
    place(
      memories,
      [first, second, step(1, 3), step(2, 3), step(3, 4)],
      [
        {
          firstStep: 2,
          steps: 2,
          whole: 3,
          joins: true,
          parts: [
            { memory: 1, offset: 0 },
            { memory: 2, offset },
          ],
        },
      ],
    );

  it('put the parts of a whole side by side, so that nothing has to be moved', () => {
    const memories = [input, slot(512), slot(512), slot(1024), output];
    const { dropped, buffers, indexOf, slotBytes, peakLiveBytes } = joined(memories, step(0, 1), step(0, 2), 512);
    expect([...dropped]).toEqual([2, 3]);
    expect([slotBytes, peakLiveBytes]).toEqual([1024, 1024]);
    const [a, b, whole] = [1, 2, 3].map((m) => buffers[indexOf[m] as number]?.within);
    expect([a?.buffer, b?.buffer]).toEqual([whole?.buffer, whole?.buffer]);
    expect([a?.offset, b?.offset, whole?.offset]).toEqual([0, 512, 0]);
  });

  it('leave the parts apart where one is read while the other is written', () => {
    const memories = [input, slot(512), slot(512), slot(1024), output];
    expect(joined(memories, step(0, 1), step(1, 2), 512).dropped.size).toBe(0);
  });

  it('leave the parts apart where one would begin where no binding can', () => {
    const memories = [input, slot(400), slot(512), slot(912), output];
    expect(joined(memories, step(0, 1), step(0, 2), 400).dropped.size).toBe(0);
  });

  it('take a part out of a whole without a copy, and keep the whole as long as the part', () => {
    const memories = [input, slot(1024), slot(256), slot(512), output];
    const move: Move = { firstStep: 1, steps: 1, whole: 1, joins: false, parts: [{ memory: 2, offset: 256 }] };
    const steps = [step(0, 1), step(1, 2), step(0, 3), step(2, 4), step(3, 4)];
    const { dropped, buffers, indexOf, slotBytes } = place(memories, steps, [move]);
    expect([...dropped]).toEqual([1]);
    expect(buffers[indexOf[2] as number]?.within?.offset).toBe(256);
    expect(slotBytes).toBe(1536);
  });

  describe('of a chain for which two buffers are much more than what is alive at once', () => {
    const sizes = [2048, 1280, 1280, 2560].map((kib) => kib * 1024);
    const memories = [input, ...sizes.map(slot), output];
    const steps = [step(0, 1), step(1, 2), step(2, 3), step(3, 4), step(4, 5)];
    const peak = (1280 + 2560) * 1024;
    const shared = (placed: Dispatched[], { buffers, indexOf }: ReturnType<typeof place>) =>
      placed.filter((s) => {
        const [a, b] = s.buffers.map((m) => buffers[indexOf[m] as number]?.within?.buffer);
        return a !== undefined && a === b;
      }).length;

    it('keep what a dispatch reads apart from what it writes, where its shader cannot have it otherwise', () => {
      const places = place(memories, steps, []);
      expect(shared(steps, places)).toBe(0);
      expect(places.peakLiveBytes).toBe(peak);
      expect(places.slotBytes).toBeGreaterThan(1.15 * peak);
    });

    it('put it beside where that takes less', () => {
      const places = place(memories, steps, [], true);
      expect(shared(steps, places)).toBeGreaterThan(0);
      expect(places.slotBytes).toBeLessThanOrEqual(1.15 * peak);
    });

    it('keep it apart where a dispatch has something bound twice', () => {
      const twice: PlanPipeline = { ...copying, bindings: [{ binding: 2, access: 'read' }, ...copying.bindings] };
      const doubled = steps.map((s) => {
        const [from, to] = s.buffers as [number, number];
        return { ...step(from, to), buffers: [from, from, to] };
      });
      const places = placeMemories({ memories, steps: doubled, pipelines: [twice], moves: [], besides: [true] });
      expect(places.slotBytes).toBeGreaterThan(1.15 * peak);
    });
  });
});
