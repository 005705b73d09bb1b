// Every backward rule against finite differences, on the host and in float64: over the operator's own cases, along random
// directions. The gradient graph is made of operators that have cases of their own on the GPU.

import { describe, expect, it } from 'vitest';
import { isFloat } from '../../src/base/dtype';
import { LeptonError } from '../../src/base/errors';
import { int64s, type NDArray, ndarray } from '../../src/base/ndarray';
import { sizeOf } from '../../src/base/shape';
import { GraphBuilder } from '../../src/ir/builder';
import type { Graph } from '../../src/ir/graph';
import type { OpCase } from '../../src/ir/opdef';
import { inferNode } from '../../src/ops/registry';
import { dropDeadCode } from '../../src/transform/dead-code';
import { differentiate } from '../../src/transform/differentiate';
import { hostOutputs } from '../support/host-graph';
import { mulberry32 } from '../support/random';
import { casesOf, operators } from './cases';
import { unchecked, without } from './without-derivative';

const step = 1e-6;
const tolerance = 1e-5;
/** Of the inputs of one case together: the references are slow. */
const mostElements = 20_000;

interface Posed {
  readonly graph: Graph;
  readonly feeds: ReadonlyMap<string, NDArray>;
  /** Float inputs. */
  readonly variables: readonly string[];
  /** Float outputs, weighed and added up. */
  readonly loss: string;
}

/** The case in float64, with a loss behind its float outputs that no output drops out of. */
function pose(op: string, c: OpCase): Posed | 'no floats' | undefined {
  try {
    return posed(op, c);
  } catch (error) {
    if (error instanceof LeptonError) return undefined; // it does not take float64
    throw error;
  }
}

function posed(op: string, { inputs, attributes = {}, outputs = 1 }: OpCase): Posed | 'no floats' {
  const random = mulberry32(7);
  const b = new GraphBuilder(op, inferNode);
  const feeds = new Map<string, NDArray>();
  const variables: string[] = [];
  const names = inputs.map((input, i) => {
    if (!input) return '';
    const { dtype: given = 'float32', dims, values, range, constant } = input;
    const dtype = isFloat(given) ? ('float64' as const) : given;
    const [low, high] = range ?? (isFloat(given) ? [-1, 1] : [0, 9]);
    const draw = () => {
      const value = low + random() * (high - low);
      return isFloat(given) ? value : Math.round(value);
    };
    const array = ndarray(dtype, dims, values ?? Array.from({ length: sizeOf(dims) }, draw));
    if (constant || !isFloat(given)) return b.constant(array, `x${i}`);
    feeds.set(`x${i}`, array);
    variables.push(`x${i}`);
    return b.input(`x${i}`, dtype, dims);
  });
  const results = b.add(op, names, attributes, outputs);
  const weighed = results.flatMap((name) => {
    const { dtype, dims } = b.type(name);
    if (dtype !== 'float64' || sizeOf(dims) === 0) return [];
    const weights = b.constant(
      ndarray(
        dtype,
        dims,
        Array.from({ length: sizeOf(dims) }, () => 0.5 + random()),
      ),
    );
    const [flat] = b.add('Reshape', [b.add('Mul', [name, weights])[0] as string, b.constant(int64s([-1]))]);
    return b.add('ReduceSum', [flat as string], { keepdims: 0 });
  });
  if (weighed.length === 0 || variables.length === 0) return 'no floats';
  const [loss] = b.add('Sum', weighed) as [string];
  return { graph: b.finish([loss]), feeds, variables, loss };
}

/** Beyond these, of inputs and of the loss, a step is lost in rounding. */
const [largest, largestLoss] = [1e3, 1e5];

/** Infinities and what is not a number have no derivative to compare with. */
function hasDerivatives({ graph, feeds }: Posed): boolean {
  const within = (most: number) => (array: NDArray) => array.data.every((x) => Math.abs(x) <= most);
  return [...feeds.values()].every(within(largest)) && hostOutputs(graph, feeds).every(within(largestLoss));
}

/** The derivatives along random directions of all inputs at once: by the rules, and by differences. */
function check({ graph, feeds, variables, loss }: Posed): void {
  const { graph: both, gradients } = differentiate(graph, loss, variables);
  const names = variables.map((name) => gradients.get(name) as string);
  const found = hostOutputs(dropDeadCode({ ...both, outputs: names }), feeds);
  const random = mulberry32(11);
  for (const only of [undefined, ...(variables.length > 1 ? variables : [])]) {
    const moved = variables.map((name) => {
      const { data } = feeds.get(name) as NDArray;
      return Array.from(data, () => (only === undefined || only === name ? 2 * random() - 1 : 0));
    });
    const at = (by: number) => {
      const shifted = variables.map((name, i): [string, NDArray] => {
        const { dtype, dims, data } = feeds.get(name) as NDArray;
        return [
          name,
          ndarray(
            dtype,
            dims,
            Array.from(data, (x, k) => x + by * (moved[i]?.[k] as number)),
          ),
        ];
      });
      return hostOutputs(graph, new Map([...feeds, ...shifted]))[0]?.data[0] as number;
    };
    const expected = (at(step) - at(-step)) / (2 * step);
    let [got, scale] = [0, 1];
    found.forEach(({ data }, i) => {
      data.forEach((g, k) => {
        const part = g * (moved[i]?.[k] as number);
        got += part;
        scale += Math.abs(part);
      });
    });
    expect(
      Math.abs(got - expected) / scale,
      `along ${only ?? 'all inputs'}: ${got}, expected ${expected}`,
    ).toBeLessThan(tolerance);
  }
}

const elementsOf = (c: OpCase) => c.inputs.reduce((sum, x) => sum + sizeOf(x?.dims ?? [0]), 0);

/** The gradient or why there is none, for every case that has inputs to differentiate by. */
function outcomes(op: string): { name: string; failure?: string; hasNone?: boolean }[] {
  const varied = (casesOf.get(op) ?? []).filter((c) =>
    c.inputs.some((x) => x && !x.constant && isFloat(x.dtype ?? 'float32')),
  );
  return varied.flatMap(({ name, ...c }) => {
    if (c.differentiable === false || elementsOf({ name, ...c }) > mostElements) return { name, hasNone: true };
    const found = pose(op, { name, ...c });
    if (found === 'no floats') return [];
    if (found === undefined || !hasDerivatives(found)) return { name, hasNone: true };
    try {
      check(found);
      return { name };
    } catch (error) {
      return { name, failure: `${name}: ${(error as Error).message}` };
    }
  });
}

describe('gradients against finite differences', () => {
  for (const { name, host } of operators) {
    if (unchecked.has(name) || host) continue;
    it(name, () => {
      const found = outcomes(name);
      const tried = found.filter(({ hasNone }) => !hasNone);
      const failures = tried.flatMap(({ failure }) => failure ?? []);
      if (without.has(name)) {
        if (tried.length > 0) expect(failures.length, 'cases without a derivative').toBeGreaterThan(0);
        return;
      }
      if (found.length > 0)
        expect(tried.length, `of ${found.length} cases, those with a derivative`).toBeGreaterThan(0);
      if (failures.length > 0) throw new Error(failures.join('\n'));
    });
  }
});

describe('gradients through rounding', () => {
  it('pass where a number is in range, and are zero outside', () => {
    const b = new GraphBuilder('quantised', inferNode);
    const x = b.input('x', 'float32', [4]);
    const [scale, zero] = [b.constant(ndarray('float32', [], [0.5])), b.constant(ndarray('int8', [], [3]))];
    const [integers] = b.add('QuantizeLinear', [x, scale, zero]) as [string];
    const [floats] = b.add('DequantizeLinear', [integers, scale, zero]) as [string];
    const [weighed] = b.add('Mul', [floats, b.constant(ndarray('float32', [4], [1, 2, 3, 4]))]) as [string];
    const [loss] = b.add('ReduceSum', [weighed], { keepdims: 0 }) as [string];
    const { graph, gradients } = differentiate(b.finish([loss]), loss, ['x']);
    const feeds = new Map([['x', ndarray('float32', [4], [0.3, -200, 7.7, 62.5])]]);
    const [found] = hostOutputs({ ...graph, outputs: [gradients.get('x') as string] }, feeds);
    expect(Array.from(found?.data ?? [])).toEqual([1, 0, 3, 0]);
  });
});
