import { describe, expect, it } from 'vitest';
import { hostOutputs } from '../../e2e/support/host-graph';
import { int64s, ndarray, scalar } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import { checkGraph } from '../ir/check';
import type { Graph } from '../ir/graph';
import { inferNode } from '../ops/registry';
import { differentiate } from './differentiate';
import { mixPrecision } from './mixed-precision';
import { specialise } from './specialise';

type Add = (op: string, ...inputs: string[]) => string;

/** A model and what is computed from its results, mixed; checked against inference from anew. */
function mixed(model: (b: GraphBuilder, add: Add) => string[], losses?: (add: Add, made: string[]) => string[]) {
  const b = new GraphBuilder('test', inferNode);
  const add: Add = (op, ...inputs) => b.add(op, inputs)[0] as string;
  const made = model(b, add);
  const nodes = b.finish([]).nodes.length;
  const outputs = losses?.(add, made) ?? made;
  const weights = new Set(b.finish([]).inputs.filter((name) => name.startsWith('w')));
  const whole = b.finish(outputs);
  const graph = mixPrecision({ ...whole, nodes: [...whole.nodes] }, { nodes, weights });
  checkGraph(graph, 'test');
  const inferred = specialise(graph, new Map());
  for (const [name, { dtype }] of inferred.values) expect([name, graph.values.get(name)?.dtype]).toEqual([name, dtype]);
  return { graph, whole };
}

/** Of each node: the operator, and what it computes in. */
const typed = ({ nodes, values }: Graph) =>
  nodes.map(({ op, outputs }) => `${op} ${values.get(outputs[0] as string)?.dtype}`);

describe('mixPrecision', () => {
  it('products and what follows them in float16, with their biases; results in float32', () => {
    const { graph } = mixed((b, add) => {
      const x = b.input('x', 'float32', [2, 3]);
      const first = add(
        'Relu',
        add('Add', add('MatMul', x, b.input('w0', 'float32', [3, 4])), b.input('w1', 'float32', [4])),
      );
      return [add('MatMul', first, b.input('w2', 'float32', [4, 5]))];
    });
    expect(typed(graph)).toEqual([
      ...['Cast float16', 'Cast float16', 'Cast float16', 'Cast float16', 'MatMul float16', 'Add float16'],
      ...['Relu float16', 'MatMul float16', 'Cast float32'],
    ]);
  });

  it('leaves softmax, sums, the losses, and what meets float32', () => {
    const { graph } = mixed(
      (b, add) => {
        const x = b.input('x', 'float32', [2, 4]);
        const product = add('MatMul', x, b.input('w0', 'float32', [4, 4]));
        return [add('Softmax', product), add('Add', product, x), add('ReduceMean', product, b.constant(int64s([1])))];
      },
      (add, made) => made.map((value) => add('Mul', value, value)),
    );
    const ops = typed(graph);
    for (const op of ['Softmax', 'Add', 'ReduceMean', 'Mul'])
      expect(ops.filter((t) => t.startsWith(`${op} `))).not.toEqual([]);
    expect(ops.filter((t) => t.endsWith('float16') && !t.startsWith('Cast'))).toEqual(['MatMul float16']);
  });

  it('constants that float16 has no digits for keep their node in float32', () => {
    const of = (value: number) =>
      typed(
        mixed((b, add) => {
          const product = add('MatMul', b.input('x', 'float32', [2, 2]), b.input('w', 'float32', [2, 2]));
          return [add('Add', product, b.constant(scalar('float32', value)))];
        }).graph,
      );
    expect(of(0.5)).toContain('Add float16');
    expect(of(-1e9)).toContain('Add float32');
    expect(of(1e-7)).toContain('Add float32');
  });

  it('a batch normalisation computes in float32, and what follows it in float16', () => {
    const { graph } = mixed((b, add) => {
      const x = add('Conv', b.input('x', 'float32', [2, 3, 5, 5]), b.input('w', 'float32', [4, 3, 3, 3]));
      const channels = ['w1', 'w2', 'w3', 'w4'].map((name) => b.input(name, 'float32', [4]));
      return [add('Relu', add('BatchNormalization', x, ...channels))];
    });
    expect(typed(graph)).toContain('BatchNormalization float32');
    expect(typed(graph)).toContain('Relu float16');
  });

  it('gives what float32 gives, gradients too, and weights of float32 gradients of float32', () => {
    const [x, w0, w1, w2] = [[4, 3], [3, 5], [5], [5, 2]].map((dims, k) => {
      const data = Array.from({ length: (dims[0] ?? 1) * (dims[1] ?? 1) }, (_, i) => Math.sin(7.1 * i + k));
      return ndarray('float32', dims, data);
    }) as [ReturnType<typeof ndarray>, ...ReturnType<typeof ndarray>[]];
    const feeds = new Map(Object.entries({ x, w0, w1, w2 } as Record<string, typeof x>));
    const { graph, whole } = mixed(
      (b, add) => {
        for (const [name, { dims }] of feeds) b.input(name, 'float32', dims);
        return [add('MatMul', add('Tanh', add('Add', add('MatMul', 'x', 'w0'), 'w1')), 'w2')];
      },
      (add, [y]) => [add('ReduceSumSquare', y as string)],
    );
    const results = [whole, graph].map((each) => {
      const [loss] = each.outputs as [string];
      const names = ['w0', 'w1', 'w2'];
      const { graph: both, gradients } = differentiate(each, loss, names);
      for (const name of names) expect(both.values.get(gradients.get(name) as string)?.dtype).toBe('float32');
      return hostOutputs({ ...both, outputs: [loss, ...names.map((name) => gradients.get(name) as string)] }, feeds);
    });
    results[0]?.forEach(({ data }, i) => {
      for (const [k, value] of data.entries()) expect(results[1]?.[i]?.data[k]).toBeCloseTo(value, 2);
    });
  });
});
