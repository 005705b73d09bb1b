// Chooses a kernel variant and its tunables for a node: counted work through a roofline estimate. The
// rates are round figures for two kinds of adapter; only their order matters, and measuring replaces it.

import type { AdapterProfile } from '../base/adapter';
import type { Cost, Kernel, Tunables } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';

export interface Candidate {
  readonly kernel: Kernel;
  readonly tunables: Tunables;
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

// Measured on SwiftShader with two cores: a load costs the same from storage and workgroup memory.
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

/** Estimated seconds. On hardware compute and memory overlap; a CPU does one after the other. */
export function estimate(cost: Cost, adapter: AdapterProfile): number {
  const rates = adapter.software ? softwareRates : hardwareRates;
  const idle = Math.max(1, rates.fill / Math.max(1, cost.workgroups));
  const flops = cost.flops + (adapter.software ? (cost.emulated ?? 0) : 0);
  const compute = (flops / rates.flops) * idle;
  const shared = (cost.shared ?? 0) + (adapter.software ? (cost.cleared ?? 0) : 0);
  const memory = (cost.traffic / rates.traffic + shared / rates.shared) * idle;
  const start = cost.workgroups * rates.workgroup + (cost.dispatches ?? 1) * rates.dispatch;
  return start + (adapter.software ? compute + memory : Math.max(compute, memory));
}

/** Every variant and legal combination of tunables that can run the node, cheapest estimate first. */
export function candidates(kernels: readonly Kernel[], n: NodeView, adapter: AdapterProfile): Candidate[] {
  const ranked: { candidate: Candidate; seconds: number }[] = [];
  for (const kernel of kernels) {
    if (n.program && !kernel.epilogueAxis && n.node.op !== 'lepton.Pointwise') continue;
    if (kernel.when && !kernel.when(n, adapter)) continue;
    for (const tunables of combinations(kernel.space ?? {})) {
      if (kernel.legal && !kernel.legal(n, tunables, adapter)) continue;
      ranked.push({ candidate: { kernel, tunables }, seconds: estimate(kernel.cost(n, tunables), adapter) });
    }
  }
  return ranked.sort((a, b) => a.seconds - b.seconds).map((r) => r.candidate);
}

function combinations(space: Readonly<Record<string, readonly number[]>>): Tunables[] {
  let all: Record<string, number>[] = [{}];
  for (const [name, values] of Object.entries(space)) {
    all = all.flatMap((t) => values.map((v) => ({ ...t, [name]: v })));
  }
  return all;
}
