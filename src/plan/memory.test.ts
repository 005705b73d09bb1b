import { describe, expect, it } from 'vitest';
import { assignSlots, type Lifetime, peakLive } from './memory';

const overlap = (a: Lifetime, b: Lifetime) => a.from <= b.to && b.from <= a.to;

describe('slots', () => {
  it('are shared by values whose lifetimes do not meet', () => {
    const chain: Lifetime[] = [0, 1, 2, 3, 4].map((i) => ({ bytes: 100, from: i, to: i + 1 }));
    const { slotOf, slotBytes } = assignSlots(chain);
    expect(slotBytes).toEqual([100, 100]);
    expect(slotOf).toEqual([0, 1, 0, 1, 0]);
    expect(peakLive(chain)).toBe(200);
  });

  it('never hold two values at once, and are large enough, whatever the lifetimes', () => {
    let seed = 1;
    const random = (n: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % n;
    };
    for (let round = 0; round < 200; round++) {
      const lifetimes = Array.from({ length: 1 + random(30) }, (): Lifetime => {
        const from = random(40);
        return { bytes: 16 * (1 + random(64)), from, to: from + random(8) };
      });
      const { slotOf, slotBytes } = assignSlots(lifetimes);
      lifetimes.forEach((a, i) => {
        expect(slotBytes[slotOf[i] as number]).toBeGreaterThanOrEqual(a.bytes);
        lifetimes.forEach((b, k) => {
          if (i !== k && overlap(a, b)) expect(slotOf[i]).not.toBe(slotOf[k]);
        });
      });
      const total = slotBytes.reduce((x, y) => x + y, 0);
      expect(total).toBeGreaterThanOrEqual(peakLive(lifetimes));
    }
  });
});
