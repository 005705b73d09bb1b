// Better plans for what a model has planned already: measures the kernels that matter, plans again, and makes the
// new plans real beside the old ones, which they replace between two runs.

import { throwIfAborted } from '../base/errors';
import type { Runner } from '../gpu/runner';
import type { Plan } from '../plan/plan';
import type { GpuOutcome, Open } from './stage';
import type { MeasureOptions, Tuner } from './tuner';
import type { Problem } from './tuning-problems';

/** Plans with more bytes of weights are not exchanged while both would be there: only the next load takes the better one. */
const mostExchanged = 512 << 20;

export interface Improvement {
  /** Puts the new plans in the place of the old ones. Call it, or `drop`, and call it while nothing runs. */
  apply(): void;
  drop(): void;
}

interface Better {
  readonly outcome: GpuOutcome;
  readonly nodes: Plan['nodes'];
  /** Undefined where the plan is the old one, now known to be the best. */
  readonly runner?: Runner;
  /** The better plan where it is not to be exchanged now. */
  readonly postponed?: Plan;
}

/**
 * @param makeRunner makes a plan real; it shares the weights that the old plan has packed the same way
 * @throws ABORTED, and what measuring and `makeRunner` throw
 */
export async function improve(
  outcomes: readonly GpuOutcome[],
  tuner: Tuner,
  makeRunner: (plan: Plan) => Promise<Runner>,
  options: MeasureOptions,
): Promise<Improvement & { readonly found: readonly Better[] }> {
  const opened: (Open & { readonly outcome: GpuOutcome })[] = [];
  for (const outcome of outcomes) {
    if (outcome.open && !outcome.runner.disposed) opened.push({ outcome, ...(await outcome.open()) });
  }
  await tuner.measure(merged(opened.flatMap(({ problems }) => problems)), options);
  const better: Better[] = [];
  const drop = () => {
    for (const { runner } of better) runner?.dispose();
  };
  try {
    for (const { outcome, replan } of opened) {
      throwIfAborted(options.signal, 'Tuning');
      if (outcome.runner.disposed) continue;
      const plan = replan();
      const { nodes } = plan;
      if (sameKernels(nodes, outcome.nodes)) better.push({ outcome, nodes });
      else if (plan.memory.weightBytes > mostExchanged) better.push({ outcome, nodes: outcome.nodes, postponed: plan });
      else better.push({ outcome, nodes, runner: await makeRunner(plan) });
    }
  } catch (error) {
    drop();
    throw error;
  }
  return { apply: () => better.forEach(exchange), drop, found: better };
}

function exchange({ outcome, nodes, runner }: Better): void {
  if (outcome.runner.disposed) {
    runner?.dispose();
    return;
  }
  outcome.nodes = nodes;
  if (!runner) return;
  outcome.runner.dispose();
  outcome.runner = runner;
}

function sameKernels(a: Plan['nodes'], b: Plan['nodes']): boolean {
  return a.length === b.length && a.every(({ kernel }, i) => kernel === b[i]?.kernel);
}

/** Problems of several plans: equal ones are measured once, and count for all that pose them. */
function merged(problems: readonly Problem[]): Problem[] {
  const bySignature = new Map<string, Problem>();
  for (const problem of problems) {
    const seconds = problem.seconds + (bySignature.get(problem.signature)?.seconds ?? 0);
    bySignature.set(problem.signature, { ...problem, seconds });
  }
  return [...bySignature.values()];
}
