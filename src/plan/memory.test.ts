import { describe, expect, it } from 'vitest';
import { assignArenas, bindingAlignment, type Lifetime, peakLive } from './memory';

const overlap = (a: Lifetime, b: Lifetime) => a.from <= b.to && b.from <= a.to;
const chain: Lifetime[] = [0, 1, 2, 3, 4].map((i) => ({ bytes: 512, from: i, to: i + 1 }));
/** Each is computed from the one before it. */
const neighbours = chain.map((_, i) => new Set([i - 1, i + 1].filter((k) => k in chain)));

describe('arenas', () => {
  it('are two for a chain, of which each step reads one and writes the other', () => {
    const { arenaOf, offsetOf, arenaBytes } = assignArenas(chain, neighbours);
    expect(arenaBytes).toEqual([512, 512]);
    expect(arenaOf).toEqual([0, 1, 0, 1, 0]);
    expect(offsetOf).toEqual([0, 0, 0, 0, 0]);
    expect(peakLive(chain)).toBe(1024);
  });

  it('take several values side by side, where no dispatch forbids it', () => {
    const big = { bytes: 1024, from: 0, to: 1 };
    const small = [2, 3].map((from) => ({ bytes: 512, from, to: 4 }));
    const { arenaOf, offsetOf, arenaBytes } = assignArenas([big, ...small], [new Set(), new Set(), new Set()]);
    expect(arenaOf).toEqual([0, 0, 0]);
    expect(offsetOf.slice(1).sort()).toEqual([0, 512]);
    expect(arenaBytes).toEqual([1024]);
  });

  it('grow no larger than they may', () => {
    const lifetimes = [0, 1, 2].map(() => ({ bytes: 512, from: 0, to: 1 }));
    const { arenaBytes } = assignArenas(lifetimes, [new Set(), new Set(), new Set()], 1024);
    expect(arenaBytes.every((bytes) => bytes <= 1024)).toBe(true);
    // A larger value has an arena of its own, which others may use after it.
    expect(assignArenas(chain, neighbours, 256).arenaBytes).toEqual([512, 512]);
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
      const { arenaOf, offsetOf, arenaBytes } = assignArenas(lifetimes, apart);
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
