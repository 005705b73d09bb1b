// Problems for measuring: which nodes pose the same one, and whether a node alone can be planned.

import { expect, test } from 'vitest';
import { plainAdapter } from '../../e2e/support/adapter';
import { int64s, ndarray } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import { checkGraph } from '../ir/check';
import type { AttributeValue, Graph } from '../ir/graph';
import { inferNode, viewNode } from '../ops/registry';
import { makePlan } from './make-plan';
import { isolate, signatureOf } from './problem';

const adapter = plainAdapter();

const build = (name: string) => new GraphBuilder(name, inferNode);

function view(graph: Graph) {
  return viewNode(graph.nodes.at(-1) as Graph['nodes'][number], graph.values);
}

function conv(name: string, size: number, attributes: Record<string, AttributeValue>, constant = true) {
  const b = build(name);
  const x = b.input(`${name}.x`, 'float32', [1, 4, size, size]);
  const w = constant
    ? b.constant(ndarray('float32', [8, 4, 3, 3]), `${name}.w`)
    : b.input(`${name}.w`, 'float32', [8, 4, 3, 3]);
  return view(b.finish(b.add('Conv', [x, w], attributes)));
}

test('a problem is the operator, its attributes, types and constants, whatever its values are called', () => {
  const pads = { pads: [1, 1, 1, 1] };
  const one = signatureOf(conv('one', 9, pads));
  expect(one).toMatch(/^[0-9a-f]{16}$/);
  expect(signatureOf(conv('two', 9, pads))).toBe(one);
  const others = [conv('size', 10, pads), conv('attributes', 9, {}), conv('weights', 9, pads, false)];
  expect(new Set([one, ...others.map(signatureOf)]).size).toBe(4);
});

test('elements that planning knows and values read twice are part of it', () => {
  const slice = (end: number) => {
    const b = build('slice');
    const x = b.input('x', 'float32', [8]);
    return signatureOf(view(b.finish(b.add('Slice', [x, b.constant(int64s([0])), b.constant(int64s([end]))]))));
  };
  expect(slice(3)).toBe(slice(3));
  expect(slice(3)).not.toBe(slice(4));
  const product = (twice: boolean) => {
    const b = build('product');
    const x = b.input('x', 'float32', [8, 8]);
    const y = b.input('y', 'float32', [8, 8]);
    return signatureOf(view(b.finish(b.add('MatMul', [x, twice ? x : y]))));
  };
  expect(product(true)).not.toBe(product(false));
});

test('a node alone is a graph that can be planned, its weights in a file of noise', () => {
  const b = build('model');
  const x = b.input('x', 'float32', [16, 32]);
  const h = b.add('Relu', [x])[0] as string;
  const w = b.constant(ndarray('float32', [32, 8]), 'w');
  const graph = b.finish(b.add('MatMul', [h, w]));
  const stored = { kind: 'stored' as const, bytes: { file: 'model.bin', offset: 64, length: 1024 } };
  const values = new Map(graph.values).set('w', { name: 'w', dtype: 'float32', dims: [32, 8], constant: stored });
  const alone = isolate(view({ ...graph, values }));
  checkGraph(alone, 'alone');
  expect(alone.inputs).toEqual([h]);
  expect(alone.values.get('w')?.constant).toEqual({
    kind: 'stored',
    bytes: { file: 'noise:float32', offset: 0, length: 1024 },
  });
  const lowered = isolate(conv('alone', 9, {}));
  const plan = makePlan(lowered, { adapter });
  expect(plan.nodes).toHaveLength(1);
  expect(plan.inputs.map((i) => i.dims)).toEqual([[1, 4, 9, 9]]);
});
