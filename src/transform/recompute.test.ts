// A deep network with its activations computed again: the same gradients, in less memory.

import { describe, expect, it } from 'vitest';
import { hostOutputs } from '../../e2e/support/host-graph';
import { type AdapterProfile, defaultLimits } from '../base/adapter';
import { type NDArray, ndarray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { GraphBuilder } from '../ir/builder';
import { checkGraph } from '../ir/check';
import type { Graph } from '../ir/graph';
import { inferNode } from '../ops/registry';
import { makePlan } from '../plan/make-plan';
import { differentiate } from './differentiate';
import { optimise } from './optimise';
import { recompute } from './recompute';
import { specialise } from './specialise';

const adapter: AdapterProfile = {
  vendor: 'test',
  architecture: '',
  description: '',
  features: [],
  limits: defaultLimits,
  software: false,
};

const [rows, width, layers] = [64, 8, 16];

/** Blocks of LayerNormalization, a product, Gelu and a residual; the sum of squares is the loss. */
function deep(): { graph: Graph; forward: number; weights: string[] } {
  const b = new GraphBuilder('deep', inferNode);
  let x = b.input('x', 'float32', [rows, width]);
  const ones = b.constant(ndarray('float32', [width], new Array<number>(width).fill(1)));
  const weights = Array.from({ length: layers }, (_, i) => b.input(`w${i}`, 'float32', [width, width]));
  for (const w of weights) {
    const [normal] = b.add('LayerNormalization', [x, ones]) as [string];
    const [product] = b.add('MatMul', [normal, w]) as [string];
    [x] = b.add('Add', [x, ...b.add('Gelu', [product])]) as [string];
  }
  const [loss] = b.add('ReduceSumSquare', [x], { keepdims: 0 }) as [string];
  const { graph, forward, gradients } = differentiate(b.finish([loss]), loss, weights);
  const outputs = [loss, ...weights.map((name) => gradients.get(name) as string)];
  return { graph: { ...graph, outputs }, forward, weights };
}

function feedsOf(graph: Graph): Map<string, NDArray> {
  return new Map(
    graph.inputs.map((name, i) => {
      const dims = graph.values.get(name)?.dims as number[];
      const values = Array.from({ length: sizeOf(dims) }, (_, k) => Math.sin(1 + k * (i + 1)));
      return [name, ndarray('float32', dims, values)];
    }),
  );
}

function planOf(graph: Graph, variables: string[]) {
  return makePlan(optimise(specialise(graph, new Map()), { adapter, debug: true }), {
    adapter,
    variables: new Set(variables),
  });
}

describe('recompute', () => {
  const { graph, forward, weights } = deep();
  const again = recompute(graph, forward, 4);

  it('gives the same gradients', () => {
    checkGraph(again, 'after recompute');
    const feeds = feedsOf(graph);
    expect(hostOutputs(again, feeds)).toEqual(hostOutputs(graph, feeds));
  });

  it('keeps less at a time', () => {
    const [all, less] = [planOf(graph, weights), planOf(again, weights)];
    expect(less.memory.peakLiveBytes).toBeLessThan(0.6 * all.memory.peakLiveBytes);
  });
});
