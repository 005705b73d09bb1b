// Chooses variants while a graph is planned: what a measurement chose, where there is one, else the best estimate.
// On the way it gathers the problems that are worth measuring, each with its candidates' plans to come.

import type { AdapterProfile } from '../base/adapter';
import { LeptonError } from '../base/errors';
import type { Choice, Tuning } from '../base/tuning';
import type { NodeView } from '../ir/node-view';
import { opOf } from '../ops/registry';
import { type Candidate, candidates, chosenOf, isSparse, shortlist, textOf } from '../plan/choose';
import { makePlan } from '../plan/make-plan';
import type { Plan } from '../plan/plan';
import { isolate, signatureOf } from '../plan/problem';

/** What one or several nodes of a model ask of the adapter. */
export interface Problem {
  readonly signature: string;
  /** Estimated seconds of all the nodes together, as they are planned. */
  readonly seconds: number;
  /** The candidates worth measuring, the planner's own choice first. */
  shortlist(most: number): readonly Contestant[];
}

export interface Contestant extends Pick<Choice, 'kernel' | 'tunables'> {
  readonly isSparse: boolean;
  /** With its tunables. */
  readonly text: string;
  /** The node alone, with this variant; its constants lie in files of noise. */
  plan(): Plan;
}

export class Chooser {
  private readonly gathered = new Map<string, Problem>();

  constructor(
    private readonly adapter: AdapterProfile,
    private readonly tuning: Tuning,
  ) {}

  /** For `PlanOptions.pick`. */
  readonly pick = (found: readonly Candidate[], n: NodeView): Candidate => {
    const best = found[0] as Candidate;
    // What is computed at load, from constants alone, is done before anything could be measured.
    const isOnce = [...n.inputs, ...n.operands].every((type) => !type || ('isConstant' in type && type.isConstant));
    if (found.length < 2 || isOnce || opOf(n.node).varies) return best;
    const signature = signatureOf(n);
    const choice = this.tuning.choices.get(signature);
    const chosen = choice && chosenOf(found, choice);
    const seconds = chosen?.measured === undefined ? best.seconds : chosen.measured / 1e3;
    this.gathered.set(signature, {
      signature,
      seconds: seconds + (this.gathered.get(signature)?.seconds ?? 0),
      // Ranked anew when asked for: a list of all candidates of every node would be there for nothing, mostly.
      shortlist: (most) => shortlist(this.rank(n), most).map((candidate) => this.contestant(candidate, n)),
    });
    return chosen ?? best;
  };

  get problems(): readonly Problem[] {
    return [...this.gathered.values()];
  }

  private rank(n: NodeView): Candidate[] {
    return candidates(opOf(n.node).kernels ?? [], n, this.adapter, this.tuning.rates);
  }

  private contestant(candidate: Candidate, n: NodeView): Contestant {
    const { adapter } = this;
    const { kernel, tunables } = candidate;
    const choice = { kernel: kernel.name, tunables, time: 0 };
    const pick = (found: readonly Candidate[]) => {
      const same = chosenOf(found, choice);
      if (same) return same;
      throw new LeptonError('INTERNAL', `${n.node.op} alone has no kernel ${kernel.name} as it has in the model.`);
    };
    return {
      ...{ kernel: kernel.name, tunables, isSparse: isSparse(candidate), text: textOf(candidate) },
      plan: () => makePlan(isolate(n), { adapter, pick }),
    };
  }
}
