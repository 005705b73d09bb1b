import { describe, expect, it } from 'vitest';
import { LeptonError } from '../base/errors';
import { ndarray, scalar } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { GraphBuilder } from '../ir/builder';
import { checkGraph } from '../ir/check';
import type { Graph } from '../ir/graph';
import { inferNode } from '../ops/registry';
import { refuseFloat64, setPrecision } from './set-precision';
import { specialise } from './specialise';

const build = (make: (b: GraphBuilder) => string[]): Graph => {
  const b = new GraphBuilder('test', inferNode);
  return b.finish(make(b));
};

/** What each value is, once types are inferred anew: passes see to it that inference agrees. */
function typesOf(graph: Graph): Record<string, string> {
  checkGraph(graph, 'test');
  const inferred = specialise(graph, new Map());
  for (const [name, { dtype }] of inferred.values) expect([name, graph.values.get(name)?.dtype]).toEqual([name, dtype]);
  return Object.fromEntries([...graph.values].map(([name, { dtype }]) => [name, dtype]));
}

describe('setPrecision', () => {
  it('computes float64 as float32: constants, attributes that name types, tensors in attributes', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float64', [3]);
      const [y] = b.add('Mul', [x, b.constant(scalar('float64', 0.1), 'w')]) as [string];
      const [z] = b.add('Cast', [b.input('n', 'int32', [3])], { to: numberOfDType('float64') }) as [string];
      return b.add('Add', [y, z]);
    });
    const types = typesOf(setPrecision(graph, 'float64', 'float32'));
    expect(new Set(Object.values(types))).toEqual(new Set(['float32', 'int32']));
    expect(() => refuseFloat64(graph)).toThrow(/"x" is float64.*allowPrecisionLoss/);
    expect(() => refuseFloat64(setPrecision(graph, 'float64', 'float32'))).not.toThrow();
  });

  it('keeps the type at rest of stored constants, through two conversions', () => {
    const bytes = { file: '', offset: 0, length: 24 };
    const graph: Graph = {
      ...build((b) => [b.input('x', 'float64', [3])]),
      values: new Map([['w', { name: 'w', dtype: 'float64', dims: [3], constant: { kind: 'stored', bytes } }]]),
    };
    const half = setPrecision(setPrecision(graph, 'float64', 'float32'), 'float32', 'float16');
    expect(half.values.get('w')).toMatchObject({ dtype: 'float16', constant: { bytes: { dtype: 'float64' } } });
  });

  it('leaves the factors of Resize in float32, also where something else reads them', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [1, 1, 3, 3]);
      const factors = b.constant(ndarray('float32', [4], [1, 1, 4 / 3, 4 / 3]), 'factors');
      const [y] = b.add('Resize', [x, '', factors]) as [string];
      return [y, ...b.add('Neg', [factors])];
    });
    const half = setPrecision(graph, 'float32', 'float16');
    const resize = half.nodes.find((n) => n.op === 'Resize');
    expect(half.values.get(resize?.inputs[2] as string)?.dtype).toBe('float32');
    expect(typesOf(half)).toMatchObject({ factors: 'float16', x: 'float16' });
  });

  it('does not round an input on its way to an operator that keeps it in float32', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [1, 1, 3, 3]);
      return b.add('GridSample', [x, b.input('grid', 'float32', [1, 2, 2, 2])]);
    });
    const half = setPrecision(graph, 'float32', 'float16');
    expect(half.nodes.map((n) => n.op)).toEqual(['GridSample']);
    expect(typesOf(half)).toMatchObject({ grid: 'float32', x: 'float16' });
  });

  it('converts around operators that know float32 only, and gives others the type they would leave out', () => {
    const graph = build((b) => {
      const x = b.input('x', 'float32', [3]);
      const [bits] = b.add('BitCast', [x], { to: numberOfDType('int32') }) as [string];
      const [back] = b.add('BitCast', [bits], { to: numberOfDType('float32') }) as [string];
      const [zeros] = b.add('ConstantOfShape', [b.constant(ndarray('int64', [1], [3]))]) as [string];
      return b.add('Add', [zeros, back]);
    });
    const half = setPrecision(graph, 'float32', 'float16');
    typesOf(half);
    expect(half.nodes.map((n) => n.op)).toEqual(['BitCast', 'BitCast', 'Cast', 'ConstantOfShape', 'Add']);
  });

  it('reads the bits of a type that is held wider, and refuses those of float64', () => {
    const bitsOf = (dtype: 'float16' | 'float64', to: 'int16' | 'int64') =>
      build((b) => b.add('BitCast', [b.input('x', dtype, [3])], { to: numberOfDType(to) }));
    typesOf(setPrecision(bitsOf('float16', 'int16'), 'float16', 'float32'));
    expect(() => setPrecision(bitsOf('float64', 'int64'), 'float64', 'float32')).toThrow(LeptonError);
  });

  it('goes into subgraphs, which may read what lies around them', () => {
    const body: Graph = {
      name: 'then',
      inputs: [],
      outputs: ['y'],
      values: new Map([['y', { name: 'y', dtype: 'float64' }]]),
      nodes: [{ name: 'c', op: 'Cast', inputs: ['x'], outputs: ['y'], attributes: { to: numberOfDType('float64') } }],
    };
    const graph: Graph = {
      ...build((b) => [b.input('x', 'float64', [3])]),
      nodes: [{ name: 'if', op: 'If', inputs: ['c'], outputs: ['z'], attributes: { then_branch: { graph: body } } }],
    };
    const [node] = setPrecision(graph, 'float64', 'float32').nodes as [Graph['nodes'][number]];
    const { graph: converted } = node.attributes.then_branch as { graph: Graph };
    expect(converted.values.get('y')?.dtype).toBe('float32');
    expect(converted.nodes[0]?.attributes.to).toBe(numberOfDType('float32'));
  });
});
