// Chooses for the first run, which is over the sooner the less there is to compile: plain variants where one run of
// them takes less time than compiling better ones saves. Only where compiling takes long: a GPU's driver compiles
// several pipelines at once, and mostly in less time than a run of a plain kernel takes.

import type { NodeView } from '../ir/node-view';
import type { Candidate } from './choose';

type Pick = (found: readonly Candidate[], n: NodeView) => Candidate;

/** Seconds that a pipeline takes to compile on a software adapter, as two are compiled at a time. */
const compiling = { plain: 0.01, other: 0.05 } as const;

interface Group {
  readonly outputs: string[];
  /** Seconds of all the group's nodes by the best candidate, and by the plain one; infinite where there is none. */
  best: number;
  plain: number;
}

export class QuickChooser {
  /** Nodes that share a pipeline, as far as can be told by now. */
  private readonly groups = new Map<string, Group>();

  /** @param best picks what is fastest once it is compiled */
  constructor(private readonly best: Pick) {}

  /** Picks the best, and takes note: for a plan that is made first. */
  readonly note: Pick = (found, n) => {
    const chosen = this.best(found, n);
    const plain = found.find(({ kernel }) => kernel.plain);
    const fused = n.node.program?.steps.map(({ op }) => op).join('+') ?? '';
    const key = JSON.stringify([n.node.op, chosen.kernel.name, chosen.tunables, fused]);
    const group = this.groups.get(key) ?? { outputs: [], best: 0, plain: 0 };
    this.groups.set(key, group);
    group.outputs.push(n.node.outputs[0] as string);
    group.best += chosen.seconds;
    group.plain += chosen.kernel.plain ? Number.POSITIVE_INFINITY : (plain?.seconds ?? Number.POSITIVE_INFINITY);
    return chosen;
  };

  /** Picks for the first run, after `note` has seen every node; undefined where the best is also the quickest. */
  get pick(): Pick | undefined {
    const quicker = [...this.groups.values()].filter(
      ({ best, plain }) => compiling.plain + plain < compiling.other + best,
    );
    const outputs = new Set(quicker.flatMap((group) => group.outputs));
    if (outputs.size === 0) return undefined;
    return (found, n) => {
      const plain = outputs.has(n.node.outputs[0] as string) && found.find(({ kernel }) => kernel.plain);
      return plain || this.best(found, n);
    };
  }
}
