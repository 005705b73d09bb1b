// Weights that are not constant floats: quantised already, or computed. What they stand for is found out where constants alone
// decide it, so that the report of a layer that stays as it was is as full as of the others.

import { type NDArray, ndarray } from '../base/ndarray';
import { subgraphsOf } from '../ir/captures';
import type { Graph, Node, Value } from '../ir/graph';
import { type NBitsNode, nbitsProblem } from '../ops/nbits/problem';
import { nbitsRow } from '../ops/nbits/reference';
import { flowOf, opOf, viewNode } from '../ops/registry';
import { inline } from '../transform/specialise';
import { arrayOf, movements, type StoredConstants } from './constants';

export interface Held {
  /** What the weights stand for, of integers that an operator takes itself but for their scale. */
  readonly weights: NDArray;
  /** What is in the file: the weights, then scales, zero points and such. */
  readonly constants: readonly Value[];
  readonly isQuantised: boolean;
}

/** Operators on integers: the inputs that are their weights, those's zero points and scales, and what else belongs to them. */
const integerPlaces: Readonly<Record<string, readonly number[]>> = {
  ConvInteger: [1, 3],
  MatMulInteger: [1, 3],
  QLinearConv: [3, 5, 4],
  QLinearMatMul: [3, 5, 4],
  'com.microsoft.DynamicQuantizeMatMul': [1, 3, 2],
  'com.microsoft.MatMulIntegerToFloat': [1, 5, 3],
  'com.microsoft.MatMulNBits': [1, 3, 2, 4],
  'com.microsoft.QGemm': [3, 5, 4],
};

/** The input that an operator on integers has its weights in. */
export function integerPlace({ op }: Node): number | undefined {
  return integerPlaces[op]?.[0];
}

export class Holdings {
  private readonly producers = new Map<string, Node>();
  private readonly fixed = new Set<string>();

  /** @param outer of the graph around a subgraph */
  constructor(
    private readonly graph: Graph,
    readonly stored: StoredConstants,
    private readonly outer?: Holdings,
  ) {
    for (const node of graph.nodes) {
      const varies = flowOf(node) !== undefined || subgraphsOf(node).length > 0 || opOf(node).varies;
      const isFixed = !varies && node.inputs.every((name) => name === '' || this.isFixed(name));
      for (const name of node.outputs) {
        this.producers.set(name, node);
        if (isFixed) this.fixed.add(name);
      }
    }
  }

  /** Whether constants alone decide it. */
  isFixed(name: string): boolean {
    if (this.fixed.has(name) || this.graph.values.get(name)?.constant) return true;
    return !this.producers.has(name) && (this.outer?.isFixed(name) ?? false);
  }

  /** Of a value that only movement and quantisation separate from constants. */
  of(name: string): Held | undefined {
    const value = this.graph.values.get(name);
    if (value?.constant) return { weights: arrayOf(value, this.stored), constants: [value], isQuantised: false };
    const node = this.producers.get(name);
    if (!node) return this.outer?.of(name);
    const isQuantising = /^(com\.microsoft\.)?(Quantize|Dequantize)Linear$/.test(node.op);
    if (!isQuantising && !movements.has(node.op)) return undefined;
    const parts = this.parts(node.inputs);
    if (!parts) return undefined;
    const arrays = node.inputs.map((input) => parts.get(input)?.weights);
    const known = new Map([...parts].map(([input, part]) => [input, inline(input, part.weights)]));
    const [weights] = opOf(node).reference(viewNode(node, known), arrays) as [NDArray];
    const isQuantised = isQuantising || [...parts.values()].some((part) => part.isQuantised);
    return { weights, constants: constantsOf(parts), isQuantised };
  }

  /** Of the weights that an operator on integers has. */
  ofIntegers(node: Node): Held | undefined {
    const places = integerPlaces[node.op] as readonly number[];
    const parts = this.parts(places.map((place) => node.inputs[place] ?? ''));
    if (!parts) return undefined;
    const arrays = node.inputs.map((name, i) => (places.includes(i) ? parts.get(name)?.weights : undefined));
    const weights = node.op === 'com.microsoft.MatMulNBits' ? unpacked(node, arrays) : lessZero(node, arrays, places);
    return { weights, constants: constantsOf(parts), isQuantised: true };
  }

  /** By name, in order; undefined where not all are known. */
  private parts(names: readonly string[]): Map<string, Held> | undefined {
    const parts = new Map<string, Held>();
    for (const name of names) {
      if (name === '') continue;
      const part = this.of(name);
      if (!part) return undefined;
      parts.set(name, part);
    }
    return parts;
  }
}

function constantsOf(parts: ReadonlyMap<string, Held>): Value[] {
  return [...parts.values()].flatMap(({ constants }) => constants);
}

function unpacked(node: Node, arrays: readonly (NDArray | undefined)[]): NDArray {
  const { K, N } = node.attributes as { readonly K: number; readonly N: number };
  const row = ndarray((arrays[2] as NDArray).dtype, [1, K]);
  const known = new Map(node.inputs.map((name, i) => [name, inline(name, arrays[i] ?? row)]));
  const problem = nbitsProblem(viewNode({ ...node, inputs: node.inputs.slice(0, 5) }, known) as NBitsNode);
  const out = ndarray(row.dtype, [N, K]);
  for (let n = 0; n < N; n++) out.data.set(nbitsRow(problem, arrays, n), n * K);
  return out;
}

/** Zero points are one, or one for each output. */
function lessZero({ op }: Node, arrays: readonly (NDArray | undefined)[], [at, zeroAt]: readonly number[]): NDArray {
  const { dims, data } = arrays[at as number] as NDArray;
  const zeros = arrays[zeroAt as number]?.data ?? [0];
  const each = /Conv/.test(op) ? data.length / (dims[0] as number) : 1;
  return ndarray(
    'int32',
    dims,
    Array.from(data, (code, i) => code - (zeros[Math.floor(i / each) % zeros.length] as number)),
  );
}
