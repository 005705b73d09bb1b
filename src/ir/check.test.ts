// The checker accepts what graph.ts allows, and names each offence against it.

import { describe, expect, test } from 'vitest';
import { scalar } from '../base/ndarray';
import { checkGraph } from './check';
import type { AttributeValue, Graph, Node, Program, Value } from './graph';

const value = (name: string, rest: Partial<Value> = {}): [string, Value] => [
  name,
  { name, dtype: 'float32', dims: [2], ...rest },
];

function node(op: string, inputs: string[], outputs: string[], rest: Partial<Node> = {}): Node {
  return { name: `${op} of ${outputs[0]}`, op, inputs, outputs, attributes: {}, ...rest };
}

/** x → Relu → a → Add w → y, with changes. */
function graph(change: Partial<Graph> = {}, values: [string, Value][] = []): Graph {
  return {
    name: 'g',
    nodes: [node('Relu', ['x'], ['a']), node('Add', ['a', 'w', ''], ['y', ''])],
    values: new Map([
      value('x'),
      value('a', { dims: undefined }),
      value('y'),
      value('w', { dims: [], constant: { kind: 'inline', array: scalar('float32', 1) } }),
      ...values,
    ]),
    inputs: ['x'],
    outputs: ['y'],
    ...change,
  };
}

function branch(read: string, write = 'z', extra: [string, Value][] = []): { graph: Graph } & AttributeValue {
  const nodes = [node('Neg', [read], [write])];
  return {
    graph: {
      name: 'branch',
      nodes,
      values: new Map([value(read), value(write), ...extra]),
      inputs: [],
      outputs: [write],
    },
  };
}

const withIf = (then: AttributeValue) =>
  graph({ nodes: [node('Relu', ['x'], ['a']), node('If', ['x'], ['y'], { attributes: { then_branch: then } })] });

const program = (index: number): Program => ({
  operands: ['w'],
  steps: [{ op: 'Add', attributes: {}, dtype: 'float32', args: [{ from: 'accumulator' }, { from: 'operand', index }] }],
});

test('a good graph passes', () => {
  checkGraph(graph(), 'a test');
  checkGraph(withIf(branch('a')), 'a test');
  checkGraph(graph({ nodes: [node('Relu', ['x'], ['y'], { program: program(0) })] }), 'a test');
});

describe('what is wrong is named', () => {
  const stored: Value = {
    name: 'w',
    dtype: 'float32',
    dims: [3],
    constant: { kind: 'stored', bytes: { file: '', offset: 0, length: 8 } },
  };
  test.each<[string, Graph, RegExp]>([
    [
      'an unknown input',
      graph({ nodes: [node('Relu', ['q'], ['y'])] }),
      /Relu node "Relu of y" reads "q", which nothing provides/,
    ],
    [
      'a later node',
      graph({ nodes: [node('Relu', ['a'], ['y']), node('Relu', ['x'], ['a'])] }),
      /reads "a".*later node/,
    ],
    [
      'a second writer',
      graph({ nodes: [node('Relu', ['x'], ['y']), node('Neg', ['x'], ['y'])] }),
      /"y" is written a second time, by Neg/,
    ],
    ['a written constant', graph({ nodes: [node('Relu', ['x'], ['w'])] }), /"w" is written a second time/],
    [
      'an output without a type',
      graph({ nodes: [node('Relu', ['x'], ['new'])], outputs: ['new'] }),
      /"new", which Relu.* writes, has no type/,
    ],
    ['an output never computed', graph({ nodes: [] }), /output "y" is never computed/],
    ['an input without a type', graph({ inputs: ['x', 'other'] }), /input "other" has no type/],
    ['an input listed twice', graph({ inputs: ['x', 'x'] }), /input "x" is listed twice/],
    [
      'a constant of another type',
      graph({}, [value('w', { dims: [1], constant: { kind: 'inline', array: scalar('float32', 1) } })]),
      /"w" is declared float32 \[1\], but holds float32 \[\]/,
    ],
    [
      'a constant of symbolic shape',
      graph({}, [value('w', { dims: ['n'], constant: { kind: 'inline', array: scalar('float32', 1) } })]),
      /no concrete shape, but \[n\]/,
    ],
    ['too few stored bytes', graph({}, [['w', stored]]), /needs 12 bytes, but refers to 8/],
    ['a subgraph that reads the unknown', withIf(branch('q')), /graph "branch".*reads "q"/],
    ['a subgraph that reads the later', withIf(branch('y')), /graph "branch".*reads "y"/],
    [
      'a program that reads the unknown',
      graph({ nodes: [node('Relu', ['x'], ['y'], { program: program(1) })] }),
      /step 0 \(Add\).*reads operand 1, but there are 1/,
    ],
  ])('%s', (_, bad, message) => {
    expect(() => checkGraph(bad, 'a test')).toThrow(
      expect.objectContaining({ code: 'INVALID_MODEL', message: expect.stringMatching(message) }),
    );
    expect(() => checkGraph(bad, 'a test')).toThrow(/\(a test\)/);
  });
});
