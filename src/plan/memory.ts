// Packs values into few buffers ("arenas") so that values alive at the same time never overlap: each gets an arena
// and an offset. WebGPU tracks use per buffer and forbids that one dispatch reads and writes the same one, so values
// that a dispatch reads lie apart from those it writes, unless it may read beside them (beside.ts). Greedy, each value
// into the gap that fits best (arXiv 2001.03288), in several orders of which the best one counts and is improved a little.

export interface Lifetime {
  readonly bytes: number;
  /** First and last step, inclusive. */
  readonly from: number;
  readonly to: number;
}

export interface ArenaPlaces {
  /** For every lifetime. */
  readonly arenaOf: readonly number[];
  readonly offsetOf: readonly number[];
  readonly arenaBytes: readonly number[];
}

/** What a storage binding's offset is a multiple of: https://www.w3.org/TR/webgpu/#limits */
export const bindingAlignment = 256;

export interface ArenaRules {
  /** For every lifetime those that must lie in another arena. */
  readonly apart: readonly ReadonlySet<number>[];
  /** Those that had better, where it costs nothing. Default: the same. */
  readonly rather?: readonly ReadonlySet<number>[];
  /** Bytes to which an arena may grow; one for a larger value is as large as that value. */
  readonly most?: number;
}

export function assignArenas(lifetimes: readonly Lifetime[], rules: ArenaRules): ArenaPlaces {
  const peak = peakOf(lifetimes);
  const orders: ((l: Lifetime) => number)[] = [
    (l) => l.bytes,
    (l) => l.bytes * (l.to - l.from + 1),
    (l) => -l.from,
    (l) => l.to,
    // Those that make up the peak first: the others find room beside them.
    (l) => (l.from <= peak.step && peak.step <= l.to ? peak.step : 0) - l.from,
  ];
  const found = orders.map((weight) => {
    const weights = lifetimes.map(weight);
    const order = weights.map((_, i) => i).sort((a, b) => (weights[b] as number) - (weights[a] as number));
    return { order, places: packed(lifetimes, rules, order) as ArenaPlaces };
  });
  found.sort((a, b) => total(a.places) - total(b.places));
  const enough = closeEnough * peak.bytes;
  const trials = Math.min(mostTrials, mostPlaced / Math.max(1, lifetimes.length));
  const random = sequence();
  const closest: Packing[] = [];
  for (const start of found) {
    let best = start;
    for (let trial = 0; trial < trials && total(best.places) > enough; trial++) {
      const order = reordered(best, lifetimes, random);
      const places = packed(lifetimes, rules, order, total(best.places));
      if (places) best = { order, places };
    }
    closest.push(best);
    if (total(best.places) <= enough) break;
  }
  return closest.reduce((a, b) => (total(b.places) < total(a.places) ? b : a)).places;
}

/** Places are not looked for any longer when they take no more than this, in terms of the bytes alive at once. */
const closeEnough = 1.1;
/** Bounds on the time that takes from each order: a few milliseconds. */
const mostTrials = 40;
const mostPlaced = 4000;

interface Packing {
  readonly order: readonly number[];
  readonly places: ArenaPlaces;
}

/** One of them earlier, mostly one for which an arena is as large as it is: it found its best place taken. */
function reordered(
  { order, places }: Packing,
  lifetimes: readonly Lifetime[],
  random: (below: number) => number,
): number[] {
  const { arenaOf, offsetOf, arenaBytes } = places;
  const isTopmost = (i: number) =>
    (offsetOf[i] as number) + (lifetimes[i] as Lifetime).bytes === arenaBytes[arenaOf[i] as number];
  const topmost = order.flatMap((i, at) => (isTopmost(i) ? [at] : []));
  const from = random(4) === 0 ? random(order.length) : (topmost[random(topmost.length)] as number);
  const to = random(2) * random(from + 1);
  const changed = [...order];
  changed.splice(to, 0, ...changed.splice(from, 1));
  return changed;
}

/** Whole numbers below the one given, the same ones each time: plans must not change from load to load. */
function sequence(): (below: number) => number {
  let state = 1;
  return (below) => {
    state = (state * 48271) % 2147483647;
    return state % below;
  };
}

function total({ arenaBytes }: ArenaPlaces): number {
  return arenaBytes.reduce((a, b) => a + b, 0);
}

interface Arena {
  bytes: number;
  readonly users: number[];
}

/** Undefined where arenas would take more than `budget` bytes. */
function packed(
  lifetimes: readonly Lifetime[],
  { apart, rather = apart, most = Number.POSITIVE_INFINITY }: ArenaRules,
  order: readonly number[],
  budget = Number.POSITIVE_INFINITY,
): ArenaPlaces | undefined {
  const arenas: Arena[] = [];
  const arenaOf = new Array<number>(lifetimes.length);
  const offsetOf = new Array<number>(lifetimes.length);
  let sum = 0;
  for (const i of order) {
    const { bytes, from, to } = lifetimes[i] as Lifetime;
    let best = { arena: -1, offset: 0, growth: Number.POSITIVE_INFINITY, together: 0, waste: 0 };
    arenas.forEach((arena, k) => {
      if (arena.users.some((u) => apart[i]?.has(u))) return;
      const taken: [number, number][] = [];
      for (const u of arena.users) {
        const other = lifetimes[u] as Lifetime;
        if (other.from <= to && from <= other.to) taken.push([offsetOf[u] as number, other.bytes]);
      }
      const { offset, waste } = bestGap(bytes, taken);
      const growth = Math.max(0, offset + bytes - arena.bytes);
      if (growth > best.growth || offset + bytes > Math.max(most, arena.bytes)) return;
      const together = arena.users.reduce((count, u) => count + (rather[i]?.has(u) ? 1 : 0), 0);
      const better = growth - best.growth || together - best.together || waste - best.waste;
      if (better < 0) best = { arena: k, offset, growth, together, waste };
    });
    if (best.arena < 0) {
      best = { arena: arenas.push({ bytes: 0, users: [] }) - 1, offset: 0, growth: bytes, together: 0, waste: 0 };
    }
    sum += best.growth;
    if (sum > budget) return undefined;
    const arena = arenas[best.arena] as Arena;
    arena.users.push(i);
    arena.bytes += best.growth;
    arenaOf[i] = best.arena;
    offsetOf[i] = best.offset;
  }
  return { arenaOf, offsetOf, arenaBytes: arenas.map((a) => a.bytes) };
}

/** The smallest gap between stretches that are taken, or the end of them. */
function bestGap(bytes: number, taken: [offset: number, bytes: number][]): { offset: number; waste: number } {
  let best = { offset: -1, waste: Number.POSITIVE_INFINITY };
  let end = 0;
  for (const [offset, length] of taken.sort((a, b) => a[0] - b[0])) {
    const waste = offset - end - bytes;
    if (waste >= 0 && waste < best.waste) best = { offset: end, waste };
    end = Math.max(end, Math.ceil((offset + length) / bindingAlignment) * bindingAlignment);
  }
  return best.offset < 0 ? { offset: end, waste: 0 } : best;
}

/** Most bytes alive in any one step. */
export function peakLive(lifetimes: readonly Lifetime[]): number {
  return peakOf(lifetimes).bytes;
}

function peakOf(lifetimes: readonly Lifetime[]): { bytes: number; step: number } {
  const change = new Map<number, number>();
  for (const { bytes, from, to } of lifetimes) {
    change.set(from, (change.get(from) ?? 0) + bytes);
    change.set(to + 1, (change.get(to + 1) ?? 0) - bytes);
  }
  let live = 0;
  let peak = { bytes: 0, step: 0 };
  for (const step of [...change.keys()].sort((a, b) => a - b)) {
    live += change.get(step) ?? 0;
    if (live > peak.bytes) peak = { bytes: live, step };
  }
  return peak;
}
