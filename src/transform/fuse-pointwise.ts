// Turns element-wise operators into pointwise programs, and merges those that nothing else needs into the one
// that reads them: a chain, a tree or a diamond of them becomes one kernel. A region grows backwards from its
// result: it takes in a value when the region is all that reads it.

import type { AdapterProfile } from '../base/adapter';
import type { NDArray } from '../base/ndarray';
import { sameDims } from '../base/shape';
import {
  type Graph,
  type Node,
  type Program,
  type ProgramArg,
  type ProgramStep,
  type Value,
  valuesRead,
} from '../ir/graph';
import { opOf } from '../ops/registry';
import { constantValues } from './constants';

/** Longer programs save little more, and one that is compiled alone keeps the others waiting. */
const mostSteps = 64;

/** Nodes that become one program, by their positions in the graph; the last one's result is the region's. */
interface Region {
  readonly members: ReadonlySet<number>;
  /** Values that the members read and do not compute, literals aside. */
  readonly operands: ReadonlySet<string>;
}

export function fusePointwise(graph: Graph, { limits }: AdapterProfile): Graph {
  const mostOperands = limits.maxStorageBuffersPerShaderStage - 1;
  const { nodes, values } = graph;
  const readers = readersOf(graph);
  const constants = constantValues(graph);
  const outputs = new Set(graph.outputs);
  const regions = new Map<string, Region>();
  /** Values that no region needs to be computed by themselves. */
  const absorbed = new Set<string>();

  const mayTakeIn = (name: string, region: Region, output: string): Region | undefined => {
    const inner = regions.get(name);
    const fits =
      inner !== undefined &&
      !outputs.has(name) &&
      // What can be computed once, at load, must not become part of every run.
      constants.has(name) === constants.has(output) &&
      readers.get(name)?.every((position) => region.members.has(position)) &&
      sameDims(dimsOf(values, name), dimsOf(values, output));
    return fits ? inner : undefined;
  };

  nodes.forEach((node, position) => {
    if (!opOf(node).pointwise) return;
    const output = node.outputs[0] as string;
    let region: Region = { members: new Set([position]), operands: new Set(operandsOf(node, values)) };
    // What was refused may be taken in once the region has grown by another of its readers.
    let queue = [...region.operands];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      const inner = region.operands.has(name) ? mayTakeIn(name, region, output) : undefined;
      if (!inner) continue;
      const joined = join(region, name, inner);
      if (joined.operands.size > mostOperands || joined.members.size > mostSteps) continue;
      region = joined;
      absorbed.add(name);
      queue = [...region.operands];
    }
    regions.set(output, region);
  });

  const fused = nodes.flatMap((node) => {
    const output = node.outputs[0] as string;
    const region = regions.get(output);
    if (!region) return [node];
    return absorbed.has(output) ? [] : [programNode(node, region, graph)];
  });
  return { ...graph, nodes: fused };
}

function join(region: Region, name: string, inner: Region): Region {
  const operands = new Set([...region.operands, ...inner.operands]);
  operands.delete(name);
  return { members: new Set([...region.members, ...inner.members]), operands };
}

function operandsOf(node: Node, values: ReadonlyMap<string, Value>): string[] {
  return node.inputs.filter((name) => name !== '' && !literalOf(values.get(name)));
}

function programNode(last: Node, { members }: Region, { nodes, values }: Graph): Node {
  const operands: string[] = [];
  const stepOf = new Map<string, number>();
  const steps = [...members]
    .sort((a, b) => a - b)
    .map((position, k): ProgramStep => {
      const { op, attributes, inputs, outputs } = nodes[position] as Node;
      const args = inputs.map((name): ProgramArg => {
        if (name === '') return { from: 'absent' };
        const index = stepOf.get(name);
        if (index !== undefined) return { from: 'step', index };
        const literal = literalOf(values.get(name));
        if (literal) return { from: 'literal', value: literal.data[0] as number, dtype: literal.dtype };
        return { from: 'operand', index: indexIn(operands, name) };
      });
      const output = outputs[0] as string;
      stepOf.set(output, k);
      return { op, attributes, args, dtype: (values.get(output) as Value).dtype };
    });
  const program: Program = { operands, steps };
  return { name: last.name, op: 'lepton.Pointwise', inputs: [], outputs: last.outputs, attributes: {}, program };
}

/** A constant that a program holds in its text. A literal has no shape, so its rank must not raise the result's. */
function literalOf(value: Value | undefined): NDArray | undefined {
  if (value?.constant?.kind !== 'inline') return undefined;
  const { array } = value.constant;
  return array.data.length === 1 && array.dims.length <= 1 && fitsDevice(array) ? array : undefined;
}

/** A 64-bit value beyond 32 bits stays an operand, whose upload says what is wrong with it. */
function fitsDevice({ dtype, data }: NDArray): boolean {
  const value = data[0] as number;
  if (dtype === 'int64') return value >= -(2 ** 31) && value < 2 ** 31;
  if (dtype === 'uint64') return value < 2 ** 32;
  return dtype !== 'float64';
}

function dimsOf(values: ReadonlyMap<string, Value>, name: string): readonly number[] {
  return values.get(name)?.dims as readonly number[];
}

export function mapArgs(step: ProgramStep, map: (arg: ProgramArg) => ProgramArg): ProgramStep {
  return { ...step, args: step.args.map(map) };
}

function indexIn(list: string[], name: string): number {
  const at = list.indexOf(name);
  return at >= 0 ? at : list.push(name) - 1;
}

/** Positions of the nodes that read each value. */
function readersOf(graph: Graph): Map<string, number[]> {
  const readers = new Map<string, number[]>();
  graph.nodes.forEach((node, position) => {
    for (const name of new Set(valuesRead(node))) {
      const list = readers.get(name);
      if (list) list.push(position);
      else readers.set(name, [position]);
    }
  });
  return readers;
}

/** How many nodes read each value. */
export function countReaders(graph: Graph): Map<string, number> {
  return new Map([...readersOf(graph)].map(([name, positions]) => [name, positions.length]));
}
