// Products with what follows them fused into their kernels: bias, residual and activation, for every variant,
// against the references of the separate operators.

import { beforeAll, expect, it } from 'vitest';
import { toDevice } from '../../src/base/device-form';
import { decode, encode, type NDArray, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { type Device, openDevice } from '../../src/gpu/device';
import { Executable } from '../../src/gpu/executable';
import { Runner } from '../../src/gpu/runner';
import { GraphBuilder } from '../../src/ir/builder';
import { inferNode, opOf, viewNode } from '../../src/ops/registry';
import { csrFromDense } from '../../src/ops/sparse/csr';
import type { Candidate } from '../../src/plan/choose';
import { makePlan } from '../../src/plan/make-plan';
import { describeDawn } from '../support/dawn';
import { compare, readyToPlan } from './harness';

interface Chain {
  readonly name: string;
  /** The product's operands; for a sparse product the first becomes compressed rows. */
  readonly sparse?: boolean;
  /** The operand that is a constant, mostly zeros; `bytes` is the second one, transposed, as int8. */
  readonly weights?: 'left' | 'right' | 'bytes';
  readonly operands: readonly [number[], number[]];
  readonly bias?: number[];
  /** Whether a tensor of the product's shape is added too. */
  readonly residual?: boolean;
}

const chains: Chain[] = [
  {
    name: 'whole quads',
    operands: [
      [6, 8],
      [8, 12],
    ],
    bias: [12],
    residual: true,
  },
  {
    name: 'ragged',
    operands: [
      [2, 5, 7],
      [7, 9],
    ],
    bias: [9],
    residual: true,
  },
  {
    name: 'a row',
    operands: [
      [1, 20],
      [20, 33],
    ],
    bias: [33],
    residual: true,
  },
  { name: 'batches by a vector', operands: [[3, 5, 8], [8]], bias: [5], residual: true },
  {
    name: 'batches by a column',
    operands: [
      [3, 5, 8],
      [8, 1],
    ],
    bias: [1],
    residual: true,
  },
  {
    name: 'long sums',
    operands: [
      [4, 300],
      [300, 6],
    ],
    bias: [6],
  },
  {
    name: 'sparse by matrix',
    sparse: true,
    operands: [
      [9, 30],
      [30, 12],
    ],
    bias: [9, 1],
    residual: true,
  },
  {
    name: 'sparse by ragged matrix',
    sparse: true,
    operands: [
      [9, 30],
      [30, 7],
    ],
    bias: [9, 1],
  },
  { name: 'sparse by vector', sparse: true, operands: [[70, 30], [30]], bias: [70], residual: true },
  {
    name: 'by sparse weights',
    weights: 'right',
    operands: [
      [6, 30],
      [30, 12],
    ],
    bias: [12],
    residual: true,
  },
  {
    name: 'ragged by sparse weights',
    weights: 'right',
    operands: [
      [2, 7, 30],
      [30, 9],
    ],
    bias: [9],
    residual: true,
  },
  {
    name: 'a row by sparse weights',
    weights: 'right',
    operands: [
      [1, 30],
      [30, 33],
    ],
    bias: [33],
    residual: true,
  },
  {
    name: 'sparse weights by matrix',
    weights: 'left',
    operands: [
      [9, 30],
      [30, 12],
    ],
    bias: [12],
    residual: true,
  },
  {
    name: 'sparse weights by ragged matrix',
    weights: 'left',
    operands: [
      [9, 30],
      [30, 7],
    ],
    bias: [7],
    residual: true,
  },
  {
    name: 'by sparse int8 weights',
    weights: 'bytes',
    operands: [
      [6, 32],
      [32, 12],
    ],
    bias: [12],
    residual: true,
  },
  {
    name: 'a row by sparse int8 weights',
    weights: 'bytes',
    operands: [
      [1, 48],
      [48, 33],
    ],
    bias: [33],
    residual: true,
  },
  { name: 'sparse weights by vector', weights: 'left', operands: [[70, 30], [30]], bias: [70], residual: true },
];

describeDawn('fused products', (dawn) => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice(dawn.gpu);
  });

  it.each(chains)('$name', async (chain) => {
    const { graph, arrays } = graphOf(chain);
    const expected = hostResult(graph, arrays);
    const optimised = readyToPlan(graph, device.profile);
    expect(optimised.nodes.map((n) => n.program?.steps.length)).toEqual([graph.nodes.length - 1]);
    let variants: Candidate[] = [];
    const pick = (found: readonly Candidate[]) => {
      variants = bestOfEach(found);
      return variants[0] as Candidate;
    };
    makePlan(optimised, { adapter: device.profile, pick });
    for (const variant of variants) {
      const plan = makePlan(optimised, { adapter: device.profile, pick: () => variant });
      const runner = new Runner(await Executable.create(device, plan, () => expect.fail('no files here')));
      const feeds = new Map(
        plan.inputs.map(({ name, device: type }) => {
          const array = arrays.get(name) as NDArray;
          return [name, { kind: 'bytes' as const, bytes: toDevice(array.dtype, type, encode(array), name) }];
        }),
      );
      const name = plan.outputs[0]?.name as string;
      const bytes = (await runner.run(feeds, [{ name, location: 'cpu' }])).bytes.get(name) as Uint8Array;
      runner.dispose();
      expect([variant.kernel.name, compare(decode('float32', expected.dims, bytes), expected, 1e-5)]).toEqual([
        variant.kernel.name,
        undefined,
      ]);
    }
  });
});

function bestOfEach(found: readonly Candidate[]): Candidate[] {
  return found.filter((c, i) => found.findIndex((other) => other.kernel === c.kernel) === i);
}

function graphOf({ name, sparse, weights, operands, bias, residual }: Chain) {
  const b = new GraphBuilder(name, inferNode);
  const arrays = new Map<string, NDArray>();
  const input = (label: string, dims: readonly number[], values: (i: number) => number) => {
    const array = ndarray(
      'float32',
      dims,
      Array.from({ length: sizeOf(dims) }, (_, i) => values(i)),
    );
    arrays.set(label, array);
    return array;
  };
  const feed = (label: string, dims: readonly number[], values: (i: number) => number) =>
    b.input(label, 'float32', input(label, dims, values).dims);
  const operand = (side: 'left' | 'right', dims: readonly number[], values: (i: number) => number) =>
    weights === side ? b.constant(input(side, dims, (i) => (i % 4 === 0 ? values(i) : 0))) : feed(side, dims, values);
  const right = () => operand('right', operands[1], (i) => Math.cos(i));
  let at: string;
  if (sparse) {
    const [rows, columns] = operands[0] as [number, number];
    const { values, columnIndices, rowOffsets } = csrFromDense(
      input('left', operands[0], (i) => (i % 3 === 0 ? Math.sin(i) : 0)),
    );
    const parts = [values, columnIndices, rowOffsets].map((array) => b.constant(array));
    [at] = b.add('lepton.SparseMatMul', [...parts, right()], { rows, columns }) as [string];
  } else if (weights === 'bytes') {
    const [K, N] = operands[1] as [number, number];
    const bytes = Array.from({ length: N * K }, (_, i) => (i % 4 === 0 ? (37 * i) & 0xff : 128));
    const scales = Array.from({ length: N }, (_, i) => 0.01 + i / 1000);
    const constants = [ndarray('uint8', [N, 1, K], bytes), ndarray('float32', [N, 1], scales)];
    const left = feed('left', operands[0], (i) => Math.sin(i));
    const attributes = { K, N, bits: 8, block_size: K };
    [at] = b.add('lepton.MatMulNBits', [left, ...constants.map((array) => b.constant(array))], attributes) as [string];
  } else {
    [at] = b.add('MatMul', [operand('left', operands[0], (i) => Math.sin(i)), right()]) as [string];
  }
  const { dims } = b.type(at);
  if (bias) [at] = b.add('Add', [at, feed('bias', bias, (i) => i / 8)]) as [string];
  if (residual) [at] = b.add('Add', [feed('residual', dims, (i) => Math.sin(3 * i)), at]) as [string];
  return { graph: b.finish(b.add('Relu', [at])), arrays };
}

/** The graph's output, operator by operator on the host. */
function hostResult(graph: ReturnType<typeof graphOf>['graph'], given: ReadonlyMap<string, NDArray>): NDArray {
  const arrays = new Map(given);
  for (const { name, constant } of graph.values.values())
    if (constant?.kind === 'inline') arrays.set(name, constant.array);
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((name) => arrays.get(name));
    const [output] = opOf(node).reference(viewNode(node, graph.values), inputs);
    arrays.set(node.outputs[0] as string, output as NDArray);
  }
  return arrays.get(graph.outputs[0] as string) as NDArray;
}
