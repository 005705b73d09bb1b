// Small models that ask for the impossible on purpose: sizes beyond any memory, loops without end, functions
// that multiply, graphs that swallow themselves. Each is refused by name, soon, with little memory.

import { expect, test } from 'vitest';
import type { LeptonError } from '../../src/base/errors';
import { type FunctionSpec, type GraphSpec, type ModelSpec, makeModel, type NodeSpec } from '../support/onnx-writer';
import { attempt } from './attempt';

const x = { name: 'x', dtype: 'float32', shape: [1] } as const;
const y = { name: 'y', dtype: 'float32' } as const;
const scalar = (name: string, dtype: 'int64' | 'bool' | 'float32', shape: number[] = []) => ({ name, dtype, shape });
const int64s = (name: string, data: readonly number[], dims = [data.length]) => {
  return { name, dtype: 'int64', dims, data } as const;
};

type Bomb = Omit<ModelSpec, 'inputs' | 'outputs'>;

function sized(op: string, inputs: string[], size: readonly number[]): Bomb {
  return { nodes: [{ op, inputs, outputs: ['y'] }], initializers: [int64s('s', size)] };
}

const double: NodeSpec = { op: 'Add', inputs: ['v', 'v'], outputs: ['v2'] };
const goOn: NodeSpec = { op: 'Identity', inputs: ['c'], outputs: ['c2'] };

/** Doubles a value and collects it, for as long as it is told to. */
function body(nodes: readonly NodeSpec[] = [double]): GraphSpec {
  return {
    nodes: [goOn, ...nodes, { op: 'Abs', inputs: ['v2'], outputs: ['each'] }],
    inputs: [scalar('i', 'int64'), scalar('c', 'bool'), scalar('v', 'float32', [1])],
    outputs: [scalar('c2', 'bool'), scalar('v2', 'float32', [1]), scalar('each', 'float32', [1])],
  };
}

const loop = (graph: GraphSpec, inputs = ['s', '', 'x'], outputs = ['y', 'all']): NodeSpec => {
  return { op: 'Loop', inputs, outputs, attributes: { body: { graph } } };
};

/** Functions that each call the next one twice. */
function doubling(levels: number): FunctionSpec[] {
  const call = (i: number, from: string, to: string): NodeSpec => {
    return i < levels
      ? { op: `f${i}`, domain: 'd', inputs: [from], outputs: [to] }
      : { op: 'Abs', inputs: [from], outputs: [to] };
  };
  return Array.from({ length: levels }, (_, i) => {
    const nodes = [call(i + 1, 'a', 't'), call(i + 1, 't', 'b')];
    return { name: `f${i}`, domain: 'd', inputs: ['a'], outputs: ['b'], nodes };
  });
}

const call = (name: string): NodeSpec => ({ op: name, domain: 'd', inputs: ['x'], outputs: ['y'] });
const itself = { name: 'f', domain: 'd', inputs: ['a'], outputs: ['b'] };

const bombs: readonly (readonly [string, RegExp, Bomb])[] = [
  ['2^26 elements resized', /Resize/, sized('Resize', ['x', '', '', 's'], [2 ** 26])],
  ...[2 ** 31, 2 ** 33, 2 ** 40, 2 ** 53 - 1].flatMap((size): [string, RegExp, Bomb][] => [
    [`Expand to ${size}`, /Expand/, sized('Expand', ['x', 's'], [size])],
    [`ConstantOfShape of ${size}`, /ConstantOfShape/, sized('ConstantOfShape', ['s'], [size])],
    [`Tile by ${size}`, /Tile/, sized('Tile', ['x', 's'], [size])],
    [`Pad by ${size}`, /Pad/, sized('Pad', ['x', 's'], [0, size])],
    [`a shape whose product is ${size} squared`, /Expand/, sized('Expand', ['x', 's'], [size, size])],
  ]),
  ['2^40 iterations', /Loop.*more than/, { nodes: [loop(body())], initializers: [int64s('s', [2 ** 40], [])] }],
  [
    'a loop that never ends',
    /Loop.*more than/,
    {
      nodes: [loop(body(), ['', 't', 'x'])],
      initializers: [{ name: 't', dtype: 'bool', dims: [], data: [1] }],
    },
  ],
  [
    'loops within loops',
    /Loop.*more than/,
    {
      nodes: [loop(body([loop(body(), ['s', '', 'v'], ['v2', 'inner'])]))],
      initializers: [int64s('s', [1e5], [])],
    },
  ],
  ['functions that double', /functions come to more than/, { nodes: [call('f0')], functions: doubling(40) }],
  [
    'a function that calls itself',
    /calls itself/,
    {
      nodes: [call('f')],
      functions: [{ ...itself, nodes: [{ op: 'f', domain: 'd', inputs: ['a'], outputs: ['b'] }] }],
    },
  ],
  [
    'a cycle',
    /cycle/,
    {
      nodes: [
        { op: 'Add', inputs: ['x', 'b'], outputs: ['a'] },
        { op: 'Add', inputs: ['a', 'x'], outputs: ['b'] },
        { op: 'Abs', inputs: ['a'], outputs: ['y'] },
      ],
    },
  ],
];

test.each(bombs)('%s', async (_, message, spec) => {
  const bytes = makeModel({ ...spec, domains: { d: 1 }, inputs: [x], outputs: [y] });
  for (const run of ['not', 'host'] as const) {
    const start = process.cpuUsage();
    const error: LeptonError = await attempt({ bytes, seed: 0, data: [], run }).then(
      (outcome) => expect.fail(`The model was taken: ${outcome}.`),
      (reason) => reason,
    );
    expect(error.name).toBe('LeptonError');
    expect(error.message).toMatch(message);
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1e6).toBeLessThan(2);
  }
});
