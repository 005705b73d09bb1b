// Packs values into few buffers ("arenas") so that values alive at the same time never overlap: each gets an arena
// and an offset. WebGPU tracks use per buffer and forbids that one dispatch reads and writes the same one, so values
// that a dispatch reads never share an arena with those it writes. Greedy, each value into the gap that fits best
// (arXiv 2001.03288), in several orders of which the best one counts and is improved a little.

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

/**
 * @param apart for every lifetime those that must lie in another arena
 * @param mostBytes to which an arena may grow; one for a larger value is as large as that value
 */
export function assignArenas(
  lifetimes: readonly Lifetime[],
  apart: readonly ReadonlySet<number>[],
  mostBytes = Number.POSITIVE_INFINITY,
): ArenaPlaces {
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
    return { order, places: packed(lifetimes, apart, order, mostBytes) };
  });
  let best = found.reduce((a, b) => (total(b.places) < total(a.places) ? b : a));
  const enough = closeEnough * peak.bytes;
  const trials = Math.min(mostTrials, mostPlaced / Math.max(1, lifetimes.length));
  const random = sequence();
  for (let trial = 0; trial < trials && total(best.places) > enough; trial++) {
    // One of them earlier: it may have found its best place taken.
    const order = [...best.order];
    const from = random(order.length);
    order.splice(random(from + 1), 0, ...order.splice(from, 1));
    const places = packed(lifetimes, apart, order, mostBytes);
    if (total(places) <= total(best.places)) best = { order, places };
  }
  return best.places;
}

/** Places are not looked for any longer when they take no more than this, in terms of the bytes alive at once. */
const closeEnough = 1.1;
/** Bounds on the time that takes: a few milliseconds. */
const mostTrials = 100;
const mostPlaced = 5000;

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

function packed(
  lifetimes: readonly Lifetime[],
  apart: readonly ReadonlySet<number>[],
  order: readonly number[],
  mostBytes: number,
): ArenaPlaces {
  const arenas: Arena[] = [];
  const arenaOf = new Array<number>(lifetimes.length);
  const offsetOf = new Array<number>(lifetimes.length);
  for (const i of order) {
    const { bytes, from, to } = lifetimes[i] as Lifetime;
    let best = { arena: -1, offset: 0, growth: Number.POSITIVE_INFINITY, waste: 0 };
    arenas.forEach((arena, k) => {
      if (arena.users.some((u) => apart[i]?.has(u))) return;
      const busy = arena.users.filter(
        (u) => !((lifetimes[u] as Lifetime).to < from || to < (lifetimes[u] as Lifetime).from),
      );
      const { offset, waste } = bestGap(
        bytes,
        busy.map((u) => [offsetOf[u] as number, (lifetimes[u] as Lifetime).bytes]),
      );
      const growth = Math.max(0, offset + bytes - arena.bytes);
      const better = growth < best.growth || (growth === best.growth && waste < best.waste);
      if (better && offset + bytes <= Math.max(mostBytes, arena.bytes)) best = { arena: k, offset, growth, waste };
    });
    // Two arenas are needed in any case; a second one costs no more than the first one's growth.
    if (best.arena < 0 || (arenas.length < 2 && best.growth >= bytes)) {
      best = { arena: arenas.push({ bytes: 0, users: [] }) - 1, offset: 0, growth: bytes, waste: 0 };
    }
    const arena = arenas[best.arena] as Arena;
    arena.users.push(i);
    arena.bytes = Math.max(arena.bytes, best.offset + bytes);
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
