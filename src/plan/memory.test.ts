import { describe, expect, it } from 'vitest';
import { assignArenas, bindingAlignment, type Lifetime, peakLive } from './memory';

const overlap = (a: Lifetime, b: Lifetime) => a.from <= b.to && b.from <= a.to;
const chain: Lifetime[] = [0, 1, 2, 3, 4].map((i) => ({ bytes: 512, from: i, to: i + 1 }));
/** Each is computed from the one before it. */
const neighbours = chain.map((_, i) => new Set([i - 1, i + 1].filter((k) => k in chain)));

const free = (count: number) => Array.from({ length: count }, () => new Set<number>());

describe('arenas', () => {
  it('are two for a chain, of which each step reads one and writes the other', () => {
    const { arenaOf, offsetOf, arenaBytes } = assignArenas(chain, { apart: neighbours });
    expect(arenaBytes).toEqual([512, 512]);
    expect(arenaOf).toEqual([0, 1, 0, 1, 0]);
    expect(offsetOf).toEqual([0, 0, 0, 0, 0]);
    expect(peakLive(chain)).toBe(1024);
  });

  it('take several values side by side, where no dispatch forbids it', () => {
    const big = { bytes: 1024, from: 0, to: 1 };
    const small = [2, 3].map((from) => ({ bytes: 512, from, to: 4 }));
    const { arenaOf, offsetOf, arenaBytes } = assignArenas([big, ...small], { apart: free(3) });
    expect(arenaOf).toEqual([0, 0, 0]);
    expect(offsetOf.slice(1).sort()).toEqual([0, 512]);
    expect(arenaBytes).toEqual([1024]);
  });

  it('grow no larger than they may', () => {
    const lifetimes = [0, 1, 2].map(() => ({ bytes: 512, from: 0, to: 1 }));
    const { arenaBytes } = assignArenas(lifetimes, { apart: free(3), most: 1024 });
    expect(arenaBytes.every((bytes) => bytes <= 1024)).toBe(true);
    // A larger value has an arena of its own, which others may use after it.
    expect(assignArenas(chain, { apart: neighbours, most: 256 }).arenaBytes).toEqual([512, 512]);
  });

  it('keep apart what had better be, where that costs nothing', () => {
    expect(assignArenas(chain, { apart: free(5), rather: neighbours }).arenaBytes).toEqual([1024]);
    // What the last one is computed from must lie apart, and then there is room elsewhere for others.
    const apart = chain.map((_, i) => new Set(i === 3 ? [4] : i === 4 ? [3] : []));
    const { arenaOf, arenaBytes } = assignArenas(chain, { apart, rather: neighbours });
    expect(arenaBytes).toEqual([512, 512]);
    expect(arenaOf.every((arena, i) => arena !== arenaOf[i + 1])).toBe(true);
  });

  it('find the places of a network whose residuals lie in the way of what is computed beside them', () => {
    // A first value, then blocks of two large scratch memories, one after the other, beside a residual.
    const lifetimes: Lifetime[] = [{ bytes: 3200, from: 0, to: 1 }];
    for (let block = 0; block < 4; block++) {
      const from = 1 + 6 * block;
      const [residual, between] = [800, 800].map((bytes) => Math.ceil(bytes / 256) * 256);
      lifetimes.push({ bytes: residual as number, from, to: from + 6 });
      for (const at of [from + 1, from + 4]) {
        lifetimes.push({ bytes: 1792, from: at, to: at + 1 }, { bytes: 1792, from: at + 1, to: at + 2 });
      }
      lifetimes.push({ bytes: between as number, from: from + 3, to: from + 4 });
    }
    const { arenaBytes } = assignArenas(lifetimes, { apart: lifetimes.map(() => new Set()) });
    expect(arenaBytes.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(1.1 * peakLive(lifetimes));
  });

  it('never hold two values in one place, nor together what must be apart, whatever the lifetimes', () => {
    let seed = 1;
    const random = (n: number) => {
      seed = (seed * 48271) % 2147483647;
      return seed % n;
    };
    for (let round = 0; round < 100; round++) {
      const lifetimes = Array.from({ length: 1 + random(30) }, (): Lifetime => {
        const from = random(40);
        return { bytes: 16 * (1 + random(64)), from, to: from + random(8) };
      });
      const apart = lifetimes.map(() => new Set<number>());
      for (let pair = 0; pair < 20; pair++) {
        const [a, b] = [random(lifetimes.length), random(lifetimes.length)];
        if (a === b) continue;
        apart[a]?.add(b);
        apart[b]?.add(a);
      }
      const { arenaOf, offsetOf, arenaBytes } = assignArenas(lifetimes, { apart });
      // One assertion a round: thousands of them would take seconds.
      const wrong: string[] = [];
      lifetimes.forEach((a, i) => {
        const [from, end] = [offsetOf[i] as number, (offsetOf[i] as number) + a.bytes];
        if (end > (arenaBytes[arenaOf[i] as number] as number)) wrong.push(`${i} ends behind its arena`);
        if (from % bindingAlignment !== 0) wrong.push(`${i} is not aligned`);
        lifetimes.forEach((b, k) => {
          if (i >= k || arenaOf[i] !== arenaOf[k]) return;
          if (apart[i]?.has(k)) wrong.push(`${i} and ${k} are together`);
          const other = offsetOf[k] as number;
          if (overlap(a, b) && from < other + b.bytes && other < end) wrong.push(`${i} and ${k} overlap`);
        });
      });
      expect(wrong).toEqual([]);
    }
  });
});
