// What the passes that replace nodes make of graphs as exporters write them: fewer nodes, with the same answer.

import { describe, expect, it } from 'vitest';
import { hostOutputs } from '../../e2e/support/host-graph';
import { writtenOutGraphs } from '../../e2e/support/written-out';
import { int64s, ndarray } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import { checkGraph } from '../ir/check';
import type { Graph } from '../ir/graph';
import { inferNode } from '../ops/registry';
import { absorbMovement } from './absorb-movement';
import { composeViews } from './compose-views';
import { fuseAttention } from './fuse-attention';
import { fuseNormalization } from './fuse-normalization';
import { lower } from './lower';
import { shareCommon } from './share-common';

const passes = [lower, shareCommon, composeViews, fuseNormalization, absorbMovement, fuseAttention];

function rewritten(graph: Graph): Graph {
  return passes.reduce((current, pass) => {
    const next = pass(current);
    checkGraph(next, pass.name);
    return next;
  }, graph);
}

const build = (make: (b: GraphBuilder) => string[]): Graph => {
  const b = new GraphBuilder('test', inferNode);
  return b.finish(make(b));
};
const ops = (graph: Graph) => graph.nodes.map((n) => n.op);

describe('passes that replace nodes', () => {
  it.each(writtenOutGraphs)('keep the answer: $name', ({ graph, feeds }) => {
    const after = rewritten(graph);
    expect(after.outputs).toEqual(graph.outputs);
    const [want, got] = [hostOutputs(graph, feeds), hostOutputs(after, feeds)];
    want.forEach((array, i) => {
      expect(got[i]?.dims).toEqual(array.dims);
      const errors = Array.from(array.data, (v, k) => Math.abs(v - (got[i]?.data[k] as number)));
      expect(Math.max(0, ...errors)).toBeLessThan(2e-6);
    });
  });

  it('make one of equal nodes and of equal constants, but not of what varies or is an output', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [2, 3]);
      const added = [1, 2].flatMap(() => b.add('Add', [x, b.constant(ndarray('float32', [3], [1, 2, 3]))]));
      const noise = [1, 2].flatMap(() => b.add('RandomNormalLike', added.slice(0, 1)));
      return [...b.add('Mul', added), ...noise, ...[1, 2].flatMap(() => b.add('Neg', [x]))];
    });
    const shared = shareCommon(graph);
    expect(ops(shared)).toEqual(['Add', 'RandomNormalLike', 'RandomNormalLike', 'Mul', 'Neg', 'Neg']);
    expect(shared.nodes[3]?.inputs).toEqual([shared.nodes[0]?.outputs[0], shared.nodes[0]?.outputs[0]]);
    expect([...shared.values.values()].filter((v) => v.constant).length).toBe(1);
  });

  it('keep all outputs of nodes that differ in which they name', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [4, 6]);
      const k = b.constant(int64s([2]));
      const [values] = b.add('TopK', [x, k], {}, 1) as [string];
      const [again, indices] = b.add('TopK', [x, k], {}, 2) as [string, string];
      const [half] = b.add('Split', [x], { axis: 1, num_outputs: 2 }, 2) as [string];
      const [third] = b.add('Split', [x], { axis: 1, num_outputs: 3 }, 3) as [string];
      return b.add('Concat', [values, again, half, third, b.add('Cast', [indices], { to: 1 })[0] as string], {
        axis: 1,
      });
    });
    const shared = shareCommon(graph);
    expect(ops(shared)).toEqual(['TopK', 'Split', 'Split', 'Cast', 'Concat']);
    const [values, indices] = shared.nodes[0]?.outputs ?? [];
    expect(shared.nodes[3]?.inputs).toEqual([indices]);
    expect(shared.nodes[4]?.inputs.slice(0, 2)).toEqual([values, values]);
  });

  it('do not make one of constants that look alike', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [100]);
      const constant = (at: number) =>
        b.constant(
          ndarray(
            'float32',
            [100],
            Array.from({ length: 100 }, (_, i) => (i === at ? 1 : 0)),
          ),
        );
      return b.add('Mul', [b.add('Add', [x, constant(5)])[0] as string, b.add('Add', [x, constant(7)])[0] as string]);
    });
    expect(ops(shareCommon(graph))).toEqual(['Add', 'Add', 'Mul']);
  });

  it('leave an output its name where all that is left of it is a view', () => {
    const graph = build((b) => b.add('Identity', b.add('Identity', [b.input('x', 'float32', [2])])));
    const after = rewritten(graph);
    expect([ops(after), after.nodes[0]?.inputs]).toEqual([['Identity'], ['x']]);
    expect(after.outputs).toEqual(graph.outputs);
  });
});
