// What the passes make of small graphs: which nodes are left, and what is fused into them.

import { describe, expect, it } from 'vitest';
import { type AdapterProfile, defaultLimits } from '../base/adapter';
import { int64s, ndarray } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import type { Graph } from '../ir/graph';
import { inferNode } from '../ops/registry';
import { makePlan } from '../plan/make-plan';
import { optimise } from './optimise';
import { specialise } from './specialise';

const adapter: AdapterProfile = {
  vendor: 'test',
  architecture: '',
  description: '',
  features: [],
  limits: defaultLimits,
  software: false,
};

const build = (make: (b: GraphBuilder) => string[]): Graph => {
  const b = new GraphBuilder('test', inferNode);
  return b.finish(make(b));
};
const run = (graph: Graph, sizes: Record<string, number> = {}) =>
  optimise(specialise(graph, new Map(Object.entries(sizes))), { adapter, debug: true });

/** Operators left for every run, fused ones joined by '+'. */
const steps = (graph: Graph) =>
  graph.nodes.map((n) =>
    [n.op, ...(n.program?.steps.map((s) => s.op) ?? [])].join('+').replace('lepton.Pointwise+', ''),
  );

const weights = (b: GraphBuilder, dims: number[]) => b.constant(ndarray('float32', dims));

describe('passes', () => {
  it('fold batch normalisation into the convolution, and the activation and residual into its tail', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [1, 4, 8, 8]);
      const [conv] = b.add('Conv', [x, weights(b, [4, 4, 3, 3])], { pads: [1, 1, 1, 1] });
      const [norm] = b.add('BatchNormalization', [conv as string, ...[0, 1, 2, 3].map(() => weights(b, [4]))]);
      const [sum] = b.add('Add', [norm as string, x]);
      return b.add('Relu', [sum as string]);
    });
    const optimised = run(graph);
    expect(steps(optimised)).toEqual(['Conv+Add+Relu']);
    expect(optimised.nodes[0]?.program?.operands).toEqual(['x']);
    const plan = makePlan(optimised, { adapter });
    expect(plan.nodes.at(-1)?.op).toBe('Conv+Add+Relu');
    expect(plan.steps.length).toBe(1);
  });

  it('make one kernel of a chain of element-wise operators, also where it reads its input twice', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [2, 5]);
      const [s] = b.add('Sigmoid', [x]);
      const [m] = b.add('Mul', [x, s as string]);
      return b.add('Add', [m as string, b.constant(ndarray('float32', [], [2]))]);
    });
    expect(steps(run(graph))).toEqual(['Sigmoid+Mul+Add']);
  });

  it('leave a value alone that something else reads too, or that is an output', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [1, 4, 8, 8]);
      const [conv] = b.add('Conv', [x, weights(b, [4, 4, 1, 1])]);
      const [relu] = b.add('Relu', [conv as string]);
      return [relu as string, conv as string];
    });
    expect(steps(run(graph))).toEqual(['Conv', 'Relu']);
  });

  it('fuse a residual only where it is there in time', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [1, 4, 8, 8]);
      const [first] = b.add('Conv', [x, weights(b, [4, 4, 1, 1])]);
      const [second] = b.add('Conv', [x, weights(b, [4, 4, 1, 1])], { pads: [0, 0, 0, 0] });
      return b.add('Add', [first as string, second as string]);
    });
    const optimised = run(graph);
    expect(steps(optimised)).toEqual(['Conv', 'Conv+Add']);
    expect(optimised.nodes[1]?.program?.operands).toEqual([optimised.nodes[0]?.outputs[0]]);
  });

  it('leave a convolution whole where what is added to it is not one number a channel', () => {
    for (const dims of [[1, 4, 8, 8], [8]]) {
      const graph = build((b) => {
        const x = b.input('x', 'float32', [1, 4, 8, 8]);
        const [conv] = b.add('Conv', [x, weights(b, [4, 4, 1, 1])]);
        return b.add('Add', [conv as string, weights(b, dims)]);
      });
      const optimised = run(graph);
      expect(optimised.nodes.some((n) => n.op === 'Conv')).toBe(true);
      expect(() => makePlan(optimised, { adapter })).not.toThrow();
    }
  });

  it('keep what is computed from constants alone out of every run', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [300, 300]);
      const [turned] = b.add('Transpose', [weights(b, [300, 300])]);
      const [scaled] = b.add('Sqrt', [turned as string]);
      return b.add('Mul', [scaled as string, x]);
    });
    const plan = makePlan(run(graph), { adapter });
    expect([plan.init.length, plan.steps.length]).toEqual([1, 1]);
  });

  it('do not fuse what changes the shape', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [1, 4, 1, 1]);
      const [conv] = b.add('Conv', [x, weights(b, [4, 4, 1, 1])]);
      const wide = b.input('wide', 'float32', [1, 4, 8, 8]);
      return b.add('Add', [conv as string, wide]);
    });
    expect(steps(run(graph))).toEqual(['Conv', 'Add']);
  });
});

describe('plans', () => {
  it('share buffers along a chain and report what is live', () => {
    const graph = build((b) => {
      let at = b.input('x', 'float32', [1, 4, 16, 16]);
      for (let i = 0; i < 6; i++)
        at = b.add('MaxPool', [at], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] })[0] as string;
      return [at];
    });
    const { memory, steps } = makePlan(run(graph), { adapter });
    expect(steps.length).toBe(6);
    expect(memory.slotBytes).toBe(memory.peakLiveBytes);
    expect(memory.slotBytes).toBe(2 * 4 * 16 * 16 * 4);
  });

  it('are plain data', () => {
    const graph = build((b) => b.add('Relu', [b.input('x', 'float32', [3])]));
    const plan = makePlan(run(graph), { adapter });
    expect(structuredClone(plan)).toEqual(plan);
  });

  it('copy an output that is an input in another shape', () => {
    const graph = build((b) => b.add('Reshape', [b.input('x', 'float32', [6]), b.constant(int64s([2, 3]))]));
    const plan = makePlan(run(graph), { adapter });
    expect(plan.steps.map((s) => s.kind)).toEqual(['copy']);
    expect(plan.outputs[0]?.dims).toEqual([2, 3]);
  });
});
