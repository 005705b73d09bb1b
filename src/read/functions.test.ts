// Models that define functions: what their calls compute, and what of them is refused.

import { describe, expect, test } from 'vitest';
import { openOnHost } from '../../e2e/support/engines';
import { type FunctionSpec, type ModelSpec, makeModel, type NodeSpec } from '../../e2e/support/onnx-writer';
import { ndarray } from '../base/ndarray';

const opset = 21;
const node = (op: string, inputs: string[], outputs: string[], attributes?: NodeSpec['attributes']): NodeSpec => ({
  op,
  inputs,
  outputs,
  ...(attributes && { attributes }),
});
const call = (op: string, inputs: string[], outputs: string[], attributes?: NodeSpec['attributes']): NodeSpec => ({
  ...node(op, inputs, outputs, attributes),
  name: `${op} of ${outputs}`,
  domain: 'local',
});

/** a·b + 1, with the factor an attribute. */
const scaled: FunctionSpec = {
  name: 'Scaled',
  domain: 'local',
  inputs: ['a'],
  outputs: ['b'],
  attributes: ['factor'],
  nodes: [
    node('Constant', [], ['f'], { value_float: { ref: 'factor' } }),
    node('Constant', [], ['one'], { value_float: { float: 1 } }),
    node('Mul', ['a', 'f'], ['t']),
    node('Add', ['t', 'one'], ['b']),
  ],
  opset,
};

const model = (nodes: NodeSpec[], functions: FunctionSpec[]): ModelSpec => ({
  nodes,
  functions,
  opset,
  domains: { local: 1 },
  inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
  outputs: [{ name: 'y', dtype: 'float32', shape: [2] }],
});
const run = async (spec: ModelSpec, x: number[]) => {
  const host = await openOnHost(makeModel(spec));
  const { y } = await host.run({ x: ndarray('float32', [2], x) });
  return Array.from(y?.data ?? []);
};

describe('functions of a model', () => {
  test('are written out with the attributes of each call', async () => {
    const spec = model(
      [call('Scaled', ['x'], ['t'], { factor: { float: 2 } }), call('Scaled', ['t'], ['y'], { factor: { float: 10 } })],
      [scaled],
    );
    expect(await run(spec, [1, 2])).toEqual([31, 51]);
  });

  test('may call each other, and stand in the branches of an If that captures', async () => {
    const twice: FunctionSpec = {
      name: 'Twice',
      domain: 'local',
      inputs: ['a'],
      outputs: ['b'],
      nodes: [
        node('Constant', [], ['yes'], { value: { tensor: { dtype: 'bool', dims: [], data: [1] } } }),
        node('If', ['yes'], ['b'], {
          then_branch: {
            graph: {
              nodes: [call('Scaled', ['a'], ['inner'], { factor: { float: 2 } })],
              outputs: [{ name: 'inner', dtype: 'float32', shape: [2] }],
            },
          },
          else_branch: {
            graph: { nodes: [node('Neg', ['a'], ['n'])], outputs: [{ name: 'n', dtype: 'float32', shape: [2] }] },
          },
        }),
      ],
      opset,
    };
    expect(await run(model([call('Twice', ['x'], ['y'])], [twice, scaled]), [1, -1])).toEqual([3, -1]);
  });

  test('that call themselves are refused', async () => {
    const ring = (name: string, next: string): FunctionSpec => ({
      name,
      domain: 'local',
      inputs: ['a'],
      outputs: ['b'],
      nodes: [call(next, ['a'], ['b'])],
      opset,
    });
    const spec = model([call('A', ['x'], ['y'])], [ring('A', 'B'), ring('B', 'A')]);
    await expect(run(spec, [1, 2])).rejects.toMatchObject({
      code: 'INVALID_MODEL',
      message: expect.stringContaining('local.A → local.B → local.A'),
    });
  });

  test.each([
    ['another opset', { ...scaled, opset: 17 }, 'UNSUPPORTED_MODEL', /opset 17.*opset 21/],
    [
      'fewer inputs than the call gives',
      { ...scaled, inputs: [] },
      'INVALID_MODEL',
      /1 inputs and takes 1 outputs; it has 0/,
    ],
  ])('with %s are refused', async (_, wrong, code, message) => {
    const spec = model([call('Scaled', ['x'], ['y'], { factor: { float: 2 } })], [wrong]);
    await expect(run(spec, [1, 2])).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('without an attribute that a constant takes its value from are refused', async () => {
    const spec = model([call('Scaled', ['x'], ['y'])], [scaled]);
    await expect(run(spec, [1, 2])).rejects.toThrow(/takes its value from the attribute "factor"/);
  });

  test('that read what is not theirs are refused', async () => {
    const nosy = { ...scaled, nodes: [node('Add', ['a', 'outside'], ['b'])] };
    const spec = model([node('Neg', ['x'], ['outside']), call('Scaled', ['outside'], ['y'])], [nosy]);
    await expect(run(spec, [1, 2])).rejects.toMatchObject({
      code: 'INVALID_MODEL',
      message: expect.stringContaining('"outside"'),
    });
  });

  test('that nobody defines are named', async () => {
    const spec = model([call('Absent', ['x'], ['y'])], [scaled]);
    await expect(run(spec, [1, 2])).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringContaining('local.Absent'),
    });
  });
});
