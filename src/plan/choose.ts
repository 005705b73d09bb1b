// Chooses a kernel variant and its tunables for a node: counted work through a roofline estimate. The rates
// are round figures for two kinds of adapter, the hardware's scaled by what the adapter at hand was measured
// to do; only their order matters, and measuring the few best of it replaces them.

import type { AdapterProfile } from '../base/adapter';
import type { AdapterRates, Choice } from '../base/tuning';
import type { Cost, Kernel, Tunables } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';

export interface Candidate {
  readonly kernel: Kernel;
  readonly tunables: Tunables;
  /** Estimated seconds. */
  readonly seconds: number;
  /** Milliseconds of one execution, where it was measured and won. */
  readonly measured?: number;
  /** Which other kind it won against, sparse or dense, see Choice. */
  readonly rival?: Choice['rival'];
}

interface Rates {
  readonly flops: number;
  readonly traffic: number;
  readonly shared: number;
  /** Seconds a workgroup, a dispatch take to start. */
  readonly workgroup: number;
  readonly dispatch: number;
  /** Workgroups below which part of the adapter stands idle. */
  readonly fill: number;
}

// Measured on SwiftShader with two cores: a load costs the same from storage and workgroup memory. A faster
// CPU is faster at all of it, so these are never scaled.
const softwareRates: Rates = {
  flops: 30e9,
  traffic: 4.5e9,
  shared: 3.5e9,
  workgroup: 0.7e-6,
  dispatch: 20e-6,
  fill: 2,
};
// A mid-range GPU; `traffic` counts re-reads, most of which caches serve.
const hardwareRates: Rates = { flops: 8e12, traffic: 1.2e12, shared: 6e12, workgroup: 2e-9, dispatch: 6e-6, fill: 96 };
/** What measuring such a GPU gives. */
const hardwareMeasured: AdapterRates = { flops: 10e12, bandwidth: 350e9, dispatch: 6e-6 };
/** A measurement further off than this is one of a machine that was busy with something else. */
const mostScale = 32;

function ratesOf(adapter: AdapterProfile, measured: AdapterRates | undefined): Rates {
  if (adapter.software) return softwareRates;
  if (!measured) return hardwareRates;
  const scale = (what: keyof AdapterRates) =>
    Math.min(mostScale, Math.max(1 / mostScale, measured[what] / hardwareMeasured[what]));
  // More arithmetic is more cores, and with them more workgroup memory, caches and room for workgroups.
  const cores = scale('flops');
  return {
    flops: hardwareRates.flops * cores,
    traffic: hardwareRates.traffic * Math.sqrt(cores * scale('bandwidth')),
    shared: hardwareRates.shared * cores,
    workgroup: hardwareRates.workgroup / cores,
    dispatch: hardwareRates.dispatch * scale('dispatch'),
    fill: hardwareRates.fill * cores,
  };
}

/** Estimated seconds. On hardware compute and memory overlap; a CPU does one after the other. */
export function estimate(cost: Cost, adapter: AdapterProfile, measured?: AdapterRates): number {
  const rates = ratesOf(adapter, measured);
  const idle = Math.max(1, rates.fill / Math.max(1, cost.workgroups));
  const flops = cost.flops + (adapter.software ? (cost.emulated ?? 0) : 0);
  const compute = (flops / rates.flops) * idle;
  const shared = (cost.shared ?? 0) + (adapter.software ? (cost.cleared ?? 0) : 0);
  const memory = (cost.traffic / rates.traffic + shared / rates.shared) * idle;
  const start = cost.workgroups * rates.workgroup + (cost.dispatches ?? 1) * rates.dispatch;
  return start + (adapter.software ? compute + memory : Math.max(compute, memory));
}

/** Every variant and legal combination of tunables that can run the node, cheapest estimate first. */
export function candidates(
  kernels: readonly Kernel[],
  n: NodeView,
  adapter: AdapterProfile,
  measured?: AdapterRates,
): Candidate[] {
  const ranked: Candidate[] = [];
  for (const kernel of kernels) {
    if (n.program && !kernel.epilogueAxis && n.node.op !== 'lepton.Pointwise') continue;
    if (kernel.when && !kernel.when(n, adapter)) continue;
    for (const tunables of combinations(kernel.space ?? {})) {
      if (kernel.legal && !kernel.legal(n, tunables, adapter)) continue;
      ranked.push({ kernel, tunables, seconds: estimate(kernel.cost(n, tunables), adapter, measured) });
    }
  }
  return ranked.sort((a, b) => a.seconds - b.seconds);
}

/** The candidate that a measurement chose, where this node has it: versions and adapters differ. */
export function chosenOf(found: readonly Candidate[], choice: Choice): Candidate | undefined {
  const same = ({ kernel, tunables }: Candidate) =>
    kernel.name === choice.kernel &&
    Object.keys(tunables).length === Object.keys(choice.tunables).length &&
    Object.entries(tunables).every(([name, value]) => choice.tunables[name] === value);
  const candidate = found.find(same);
  return candidate && { ...candidate, measured: choice.time, ...(choice.rival && { rival: choice.rival }) };
}

/** An estimate errs by less than this factor between two variants of which the slower one is no use. */
const worthMeasuring = 4;

/**
 * The candidates that are worth measuring, in the order to measure them: the best of every kernel first,
 * since kernels differ by more than the tunables of one do. Where sparse ones are, the best dense one is too, whatever its
 * estimate: sparse weights shall not become slower than dense ones.
 * @param found cheapest estimate first
 */
export function shortlist(found: readonly Candidate[], most: number): Candidate[] {
  const limit = worthMeasuring * (found[0]?.seconds ?? 0);
  const near = found.filter(({ seconds }) => seconds <= limit);
  const bests = near.filter((c, i) => near.findIndex((other) => other.kernel === c.kernel) === i);
  const chosen = [...bests, ...near.filter((c) => !bests.includes(c))].slice(0, most);
  if (!chosen.every(isSparse)) return chosen;
  const dense = found.find((c) => !isSparse(c));
  return dense ? [...chosen.slice(0, Math.max(1, most - 1)), dense] : chosen;
}

export const isSparse = ({ kernel }: Pick<Candidate, 'kernel'>) => kernel.sparse === true;

/** A variant with its tunables: 'implicitGemm tileM=64'. */
export function textOf({ kernel, tunables }: Pick<Candidate, 'kernel' | 'tunables'>): string {
  return [kernel.name, ...Object.entries(tunables).map(([name, value]) => `${name}=${value}`)].join(' ');
}

function combinations(space: Readonly<Record<string, readonly number[]>>): Tunables[] {
  let all: Record<string, number>[] = [{}];
  for (const [name, values] of Object.entries(space)) {
    all = all.flatMap((t) => values.map((v) => ({ ...t, [name]: v })));
  }
  return all;
}
