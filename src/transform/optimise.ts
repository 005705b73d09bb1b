// The passes between a model's graph and its plan, in order. Each is a pure function of its own file.

import type { AdapterProfile } from '../base/adapter';
import { checkGraph } from '../ir/check';
import type { Graph } from '../ir/graph';
import { dropDeadCode } from './dead-code';
import { foldBatchNorm } from './fold-batch-norm';
import { fuseEpilogue } from './fuse-epilogue';
import { fusePointwise } from './fuse-pointwise';
import { lower } from './lower';
import { refuseFloat64, setPrecision } from './set-precision';
import { specialise } from './specialise';

export type Pass = readonly [name: string, run: (graph: Graph) => Graph];

export interface OptimiseOptions {
  readonly adapter: AdapterProfile;
  /** Size of every symbolic dimension. */
  readonly sizes: ReadonlyMap<string, number>;
  /** Validate the graph after every pass. */
  readonly debug?: boolean;
}

export function passes({ adapter, sizes }: OptimiseOptions): Pass[] {
  const widen = !adapter.features.includes('shader-f16');
  const none = new Map<string, number>();
  return [
    ...(widen ? [['widenHalf', (g: Graph) => setPrecision(g, 'float16', 'float32')] as const] : []),
    ['specialise', (g) => specialise(g, sizes)],
    ['dropUnused', dropDeadCode],
    ['lower', lower],
    ['foldConstants', (g) => specialise(g, none)],
    ['foldBatchNorm', foldBatchNorm],
    ['foldWeights', (g) => specialise(g, none)],
    ['refuseFloat64', refuseFloat64],
    ['fusePointwise', fusePointwise],
    ['fuseEpilogue', (g) => fuseEpilogue(g, adapter)],
    ['dropDeadCode', dropDeadCode],
  ];
}

/** Specialises and optimises a graph as read, ready for `makePlan`. */
export function optimise(graph: Graph, options: OptimiseOptions): Graph {
  let current = graph;
  for (const [name, run] of passes(options)) {
    current = run(current);
    if (options.debug) checkGraph(current, `after pass ${name}`);
  }
  return current;
}
