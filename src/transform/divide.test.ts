// What the division of small graphs says of the next stage: which inputs must be known, what runs on the
// host, what is planned now and what waits.

import { describe, expect, it } from 'vitest';
import { type NDArray, ndarray, scalar } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import { checkGraph } from '../ir/check';
import type { Graph, Node } from '../ir/graph';
import { type Division, divide } from './divide';

/** A graph as read: nothing is inferred of its nodes. */
function build(make: (b: GraphBuilder) => void, nodes: readonly Partial<Node>[], outputs: readonly string[]): Graph {
  const b = new GraphBuilder('test', () => new Map());
  make(b);
  nodes.forEach((node, i) => {
    b.append({ name: `${node.op} ${i}`, op: '', inputs: [], outputs: [], attributes: {}, ...node });
  });
  const graph = b.finish(outputs);
  const values = new Map(graph.values);
  for (const name of graph.nodes.flatMap((n) => n.outputs)) values.set(name, { name, dtype: 'float32' });
  return { ...graph, values };
}

function run(graph: Graph, known: Record<string, NDArray> = {}): Division {
  const dims = new Map(graph.inputs.map((name) => [name, graph.values.get(name)?.dims as number[]]));
  const division = divide(graph, {
    dims,
    dtypes: new Map(),
    known: new Map(Object.entries(known)),
    hostReasons: new Map(),
    needed: new Set(),
  });
  if (division.kind === 'gpu') {
    checkGraph(division.now, 'the stage');
    if (division.later) checkGraph(division.later, 'what waits');
  }
  return division;
}

const ops = (graph: Graph | undefined) => graph?.nodes.map((n) => n.op);

describe('divide', () => {
  const reshape = build(
    (b) => {
      b.input('x', 'float32', [6]);
      b.input('shape', 'int64', [2]);
    },
    [{ op: 'Reshape', inputs: ['x', 'shape'], outputs: ['y'] }],
    ['y'],
  );

  it('asks for the elements of an input that gives a shape, and plans with them', () => {
    expect(run(reshape)).toEqual({ kind: 'feeds', names: ['shape'] });
    const division = run(reshape, { shape: ndarray('int64', [2], [3, -1]) });
    expect(division).toMatchObject({ kind: 'gpu', evaluated: [] });
    if (division.kind !== 'gpu') return;
    expect(division.now.inputs).toEqual(['x']);
    expect(division.now.values.get('y')?.dims).toEqual([3, 2]);
    expect(division.later).toBeUndefined();
  });

  it('computes what small integers give on the host, but not what data gives', () => {
    const graph = (dtype: 'int64' | 'float32') =>
      build(
        (b) => {
          b.input('x', 'float32', [1]);
          b.input('n', dtype, [1]);
        },
        [
          { op: 'Add', inputs: ['n', 'n'], outputs: ['twice'] },
          { op: 'Cast', inputs: ['twice'], outputs: ['length'], attributes: { to: 7 } },
          { op: 'Expand', inputs: ['x', 'length'], outputs: ['y'] },
        ],
        ['y'],
      );
    expect(run(graph('int64'))).toEqual({ kind: 'feeds', names: ['n'] });
    const known = run(graph('int64'), { n: ndarray('int64', [1], [2]) });
    expect(known).toMatchObject({ kind: 'gpu', read: [] });
    if (known.kind === 'gpu') {
      expect(known.evaluated.map(({ node }) => node.op)).toEqual(['Add', 'Cast']);
      expect(ops(known.now)).toEqual(['Expand']);
    }
    const cut = run(graph('float32'));
    expect(cut).toMatchObject({ kind: 'gpu', read: ['length'] });
    if (cut.kind === 'gpu') {
      expect([ops(cut.now), ops(cut.later)]).toEqual([['Add', 'Cast'], ['Expand']]);
      expect(cut.later?.inputs.toSorted()).toEqual(['length', 'x']);
    }
  });

  it('cuts in front of a node of the host, then runs it, then goes on', () => {
    const graph = build(
      (b) => {
        b.input('x', 'float32', [4]);
      },
      [
        { op: 'Relu', inputs: ['x'], outputs: ['r'] },
        { op: 'NonZero', inputs: ['r'], outputs: ['places'] },
        { op: 'Neg', inputs: ['r'], outputs: ['n'] },
        { op: 'Transpose', inputs: ['places'], outputs: ['t'] },
      ],
      ['n', 't'],
    );
    const first = run(graph);
    expect(first).toMatchObject({ kind: 'gpu', read: ['r'] });
    if (first.kind !== 'gpu' || !first.later) return;
    expect(first.now.outputs).toEqual(['n', 'r']);
    expect(ops(first.later)).toEqual(['NonZero', 'Transpose']);
    const later = { ...first.later, values: new Map(first.later.values) };
    const second = run(later);
    expect(second).toMatchObject({ kind: 'host', nodes: [{ node: { op: 'NonZero' } }] });
    if (second.kind === 'host') expect(ops(second.rest)).toEqual(['Transpose']);
  });

  const body = (nodes: readonly Partial<Node>[], outputs: readonly string[]) =>
    build(
      (b) => {
        b.input('i', 'int64', []);
        b.input('c', 'bool', []);
        b.input('s', 'float32', [2]);
      },
      nodes,
      outputs,
    );

  it('writes a loop out while its condition is known', () => {
    const inner = body(
      [
        { op: 'Add', inputs: ['s', 's'], outputs: ['next'] },
        { op: 'Identity', inputs: ['c'], outputs: ['more'] },
      ],
      ['more', 'next'],
    );
    const graph = build(
      (b) => {
        b.input('x', 'float32', [2]);
        b.constant(scalar('int64', 5), 'trips');
      },
      [{ op: 'Loop', inputs: ['trips', '', 'x'], outputs: ['y'], attributes: { body: { graph: inner } } }],
      ['y'],
    );
    const division = run(graph);
    expect(division.kind === 'gpu' && ops(division.now)?.filter((op) => op === 'Add')).toHaveLength(5);
  });

  it('refuses a loop that nothing ends', () => {
    const inner = body([{ op: 'Add', inputs: ['s', 's'], outputs: ['next'] }], ['c', 'next']);
    const graph = build(
      (b) => {
        b.input('x', 'float32', [2]);
      },
      [{ op: 'Loop', name: 'forever', inputs: ['', '', 'x'], outputs: ['y'], attributes: { body: { graph: inner } } }],
      ['y'],
    );
    expect(() => run(graph)).toThrow(/Loop node "forever.*more than 50000 nodes/);
  });
});
