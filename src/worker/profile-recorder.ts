// Gathers what several runs of a model tell about where the time goes, part by part of their chain of stages.

import { median } from '../base/median';
import type { AdapterRates } from '../base/tuning';
import type { Runner } from '../gpu/runner';
import type { Node } from '../ir/graph';
import type { Plan } from '../plan/plan';
import type { NodeProfile, Profile } from './protocol';

type Part =
  | { readonly kind: 'host'; readonly node: Pick<Node, 'name' | 'op'>; readonly reason: string; readonly wall: number }
  | {
      readonly kind: 'gpu';
      readonly plan: Plan;
      readonly nodes: Plan['nodes'];
      /** Milliseconds of every step; undefined without timestamps. */
      readonly steps: readonly number[] | undefined;
      readonly wall: number;
    };

export class ProfileRecorder {
  private readonly runs: Part[][] = [];
  private current: Part[] = [];

  /** @param rates what the adapter was measured to do */
  constructor(private readonly rates: AdapterRates | undefined) {}

  start(): void {
    this.current = [];
  }

  host(node: Pick<Node, 'name' | 'op'>, reason: string, wall: number): void {
    this.current.push({ kind: 'host', node, reason, wall });
  }

  /** @param nodes those of the runner's plan, with how their kernels were chosen */
  async gpu(runner: Runner, nodes: Plan['nodes'], wall: number): Promise<void> {
    const { plan } = runner.executable;
    this.current.push({ kind: 'gpu', plan, nodes, wall, steps: await runner.time() });
  }

  finish(): void {
    this.runs.push(this.current);
  }

  /** GPU times are medians over the runs; where data changed the chain of stages, the last run's chain counts. */
  profile(): Profile {
    const last = this.runs.at(-1) ?? [];
    const nodes = last.flatMap((part, i): NodeProfile[] => {
      const same = this.runs.flatMap((run) => run[i] ?? []);
      if (part.kind === 'host') return [hostRow(part, median(same.map((p) => p.wall)))];
      const timed = same.flatMap((p) => (p.kind === 'gpu' && p.plan === part.plan && p.steps ? [p.steps] : []));
      const times = timed.length > 0 ? nodeTimes(part.plan, timed) : undefined;
      return part.nodes.map((node, k) => ({ ...node, gpuTime: times?.[k], ...speedOf(node, times?.[k], this.rates) }));
    });
    const times = nodes.flatMap((node) => node.gpuTime ?? []);
    const { rates } = this;
    return {
      nodes,
      adapter: rates && { flopsPerSecond: rates.flops, bytesPerSecond: rates.bandwidth },
      gpuTime: times.length > 0 ? times.reduce((a, b) => a + b, 0) : undefined,
      // The mean, since runs may be shorter than a tick of the clock.
      wallTime: this.runs.flat().reduce((sum, part) => sum + part.wall, 0) / Math.max(1, this.runs.length),
    };
  }
}

function hostRow({ node, reason }: Extract<Part, { kind: 'host' }>, hostTime: number): NodeProfile {
  return { name: node.name, op: node.op, kernel: 'host', gpuTime: undefined, hostTime, reason, flops: 0, bytes: 0 };
}

/** @param time milliseconds */
function speedOf({ flops, bytes }: Plan['nodes'][number], time: number | undefined, rates: AdapterRates | undefined) {
  if (!time) return {};
  const seconds = time / 1e3;
  const least = rates && Math.max(flops / rates.flops, bytes / rates.bandwidth);
  return {
    flopsPerSecond: flops / seconds,
    bytesPerSecond: bytes / seconds,
    ...(least !== undefined && { roofline: least / seconds }),
  };
}

function nodeTimes(plan: Plan, runs: readonly (readonly number[])[]): number[] {
  const times = new Array<number>(plan.nodes.length).fill(0);
  plan.steps.forEach((step, i) => {
    times[step.node] = (times[step.node] as number) + median(runs.map((run) => run[i] as number));
  });
  return times;
}
