// Packs values into shared buffers ("slots") so that values alive at the same time never share one.
// Greedy by size: the largest value first, each into the slot that fits best (arXiv 2001.03288).
// Slots are whole buffers: WebGPU tracks use per buffer, so sub-ranges of one arena would not validate.

export interface Lifetime {
  readonly bytes: number;
  /** First and last step, inclusive. */
  readonly from: number;
  readonly to: number;
}

export interface SlotAssignment {
  /** For every lifetime, its slot. */
  readonly slotOf: readonly number[];
  readonly slotBytes: readonly number[];
}

export function assignSlots(lifetimes: readonly Lifetime[]): SlotAssignment {
  const slots: { bytes: number; users: Lifetime[] }[] = [];
  const slotOf = new Array<number>(lifetimes.length);
  const order = lifetimes.map((_, i) => i).sort((a, b) => bytesAt(lifetimes, b) - bytesAt(lifetimes, a));
  for (const i of order) {
    const value = lifetimes[i] as Lifetime;
    let best = -1;
    slots.forEach((slot, s) => {
      const free = slot.users.every((u) => u.to < value.from || value.to < u.from);
      // Slots were opened by values at least as large: the smallest free one wastes least.
      if (free && (best < 0 || slot.bytes < (slots[best]?.bytes ?? 0))) best = s;
    });
    if (best < 0) best = slots.push({ bytes: value.bytes, users: [] }) - 1;
    slots[best]?.users.push(value);
    slotOf[i] = best;
  }
  return { slotOf, slotBytes: slots.map((s) => s.bytes) };
}

/** Most bytes alive in any one step. */
export function peakLive(lifetimes: readonly Lifetime[]): number {
  const change = new Map<number, number>();
  for (const { bytes, from, to } of lifetimes) {
    change.set(from, (change.get(from) ?? 0) + bytes);
    change.set(to + 1, (change.get(to + 1) ?? 0) - bytes);
  }
  let live = 0;
  let peak = 0;
  for (const step of [...change.keys()].sort((a, b) => a - b)) {
    live += change.get(step) ?? 0;
    peak = Math.max(peak, live);
  }
  return peak;
}

function bytesAt(lifetimes: readonly Lifetime[], i: number): number {
  return (lifetimes[i] as Lifetime).bytes;
}
