// The passes between a graph whose types are all known and its plan, in order. Each is a pure function of its own file.

import type { AdapterProfile } from '../base/adapter';
import { checkGraph } from '../ir/check';
import type { Graph } from '../ir/graph';
import { absorbMovement } from './absorb-movement';
import { composeViews } from './compose-views';
import { dropDeadCode } from './dead-code';
import { foldBatchNorm } from './fold-batch-norm';
import { fuseAttention } from './fuse-attention';
import { fuseDequantize } from './fuse-dequantize';
import { fuseDequantizeDynamic } from './fuse-dequantize-dynamic';
import { fuseEpilogue } from './fuse-epilogue';
import { fuseNormalization } from './fuse-normalization';
import { fusePointwise } from './fuse-pointwise';
import { joinProjections } from './join-projections';
import { lower } from './lower';
import { refuseFloat64 } from './set-precision';
import { shareCommon } from './share-common';
import { specialise } from './specialise';
import { spreadPatterns } from './spread-patterns';

type Pass = readonly [name: string, run: (graph: Graph) => Graph];

export interface OptimiseOptions {
  readonly adapter: AdapterProfile;
  /** Validate the graph after every pass. */
  readonly debug?: boolean;
}

function passes(adapter: AdapterProfile): Pass[] {
  const none = new Map<string, number>();
  return [
    ['dropUnused', dropDeadCode],
    ['fuseDequantize', fuseDequantize],
    ['lower', lower],
    ['foldConstants', (g) => specialise(g, none)],
    ['shareCommon', shareCommon],
    ['fuseDequantizeDynamic', (g) => fuseDequantizeDynamic(g, adapter)],
    ['composeViews', composeViews],
    ['fuseNormalization', fuseNormalization],
    ['absorbMovement', absorbMovement],
    ['fuseAttention', fuseAttention],
    ['joinProjections', joinProjections],
    ['foldBatchNorm', foldBatchNorm],
    ['foldWeights', (g) => specialise(g, none)],
    ['refuseFloat64', refuseFloat64],
    ['spreadPatterns', spreadPatterns],
    ['fusePointwise', (g) => fusePointwise(g, adapter)],
    ['fuseEpilogue', (g) => fuseEpilogue(g, adapter)],
    ['dropDeadCode', dropDeadCode],
  ];
}

/** Makes a specialised graph ready for `makePlan`. */
export function optimise(graph: Graph, { adapter, debug }: OptimiseOptions): Graph {
  let current = graph;
  for (const [name, run] of passes(adapter)) {
    current = run(current);
    if (debug) checkGraph(current, `after pass ${name}`);
  }
  return current;
}
