// Turns element-wise operators into pointwise programs, and merges a program into the one that reads it
// where nothing else does: a chain or small tree of them becomes one kernel.

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

/** Storage buffers besides the result; WebGPU guarantees 8 a stage. */
const mostOperands = 7;
const mostSteps = 24;

export function fusePointwise(graph: Graph): Graph {
  const readers = countReaders(graph);
  const constants = constantValues(graph);
  const programs = new Map<string, Node>();
  for (const node of graph.nodes) {
    if (!opOf(node).pointwise) continue;
    const alone = programNode(node, graph.values);
    programs.set(node.outputs[0] as string, mergeProducers(alone, programs, readers, constants, graph));
  }
  const absorbed = new Set<string>();
  const nodes: Node[] = [];
  // Backwards, so that a merged program is seen before the ones it took in.
  for (const node of [...graph.nodes].reverse()) {
    const output = node.outputs[0] as string;
    const program = programs.get(output);
    if (!program) nodes.unshift(node);
    else if (!absorbed.has(output)) {
      nodes.unshift(program);
      for (const name of absorbedBy(program)) absorbed.add(name);
    }
  }
  return { ...graph, nodes };
}

interface MergedNode extends Node {
  readonly absorbed?: readonly string[];
}

function absorbedBy(node: MergedNode): readonly string[] {
  return node.absorbed ?? [];
}

function programNode(node: Node, values: ReadonlyMap<string, Value>): Node {
  const operands: string[] = [];
  const args = node.inputs.map((name): ProgramArg => {
    if (name === '') return { from: 'absent' };
    const constant = values.get(name)?.constant;
    const single = constant?.kind === 'inline' ? singleElement(constant.array) : undefined;
    if (single) return { from: 'literal', value: single.data[0] as number, dtype: single.dtype };
    return { from: 'operand', index: indexIn(operands, name) };
  });
  const dtype = (values.get(node.outputs[0] as string) as Value).dtype;
  const steps: ProgramStep[] = [{ op: node.op, attributes: node.attributes, args, dtype }];
  return asProgram(node, { operands, steps });
}

function asProgram(node: Node, program: Program): Node {
  return { name: node.name, op: 'lepton.Pointwise', inputs: [], outputs: node.outputs, attributes: {}, program };
}

/** A literal has no shape, so only a rank that cannot raise the result's rank may become one. */
function singleElement(array: NDArray): NDArray | undefined {
  return array.data.length === 1 && array.dims.length <= 1 && fitsDevice(array) ? array : undefined;
}

/** A 64-bit value beyond 32 bits stays an operand, whose upload says what is wrong with it. */
function fitsDevice({ dtype, data }: NDArray): boolean {
  const value = data[0] as number;
  if (dtype === 'int64') return value >= -(2 ** 31) && value < 2 ** 31;
  if (dtype === 'uint64') return value < 2 ** 32;
  return dtype !== 'float64';
}

function mergeProducers(
  node: Node,
  programs: ReadonlyMap<string, MergedNode>,
  readers: ReadonlyMap<string, number>,
  constants: ReadonlySet<string>,
  graph: Graph,
): MergedNode {
  const output = node.outputs[0] as string;
  const dims = graph.values.get(output)?.dims as readonly number[];
  const program = node.program as Program;
  const mergeable = program.operands.filter((name) => {
    const producer = programs.get(name);
    return (
      producer !== undefined &&
      readers.get(name) === 1 &&
      // What can be computed once, at load, must not become part of every run.
      constants.has(name) === constants.has(output) &&
      !graph.outputs.includes(name) &&
      sameDims(graph.values.get(name)?.dims as readonly number[], dims)
    );
  });
  let merged: MergedNode = node;
  for (const name of mergeable) {
    const producer = programs.get(name) as MergedNode;
    const joined = inlineProgram(merged.program as Program, name, producer.program as Program);
    if (joined.operands.length > mostOperands || joined.steps.length > mostSteps) continue;
    merged = {
      ...asProgram(node, joined),
      absorbed: [...absorbedBy(merged), name, ...absorbedBy(producer)],
    };
  }
  // A program of literals only has no operand to take its shape from.
  return merged;
}

/** `program` with its operand `name` computed by `producer` instead of read. */
function inlineProgram(program: Program, name: string, producer: Program): Program {
  const operands = program.operands.filter((o) => o !== name);
  const steps = producer.steps.map((step) =>
    mapArgs(step, (arg) =>
      arg.from === 'operand'
        ? { from: 'operand', index: indexIn(operands, producer.operands[arg.index] as string) }
        : arg,
    ),
  );
  const shift = steps.length;
  const result: ProgramArg = { from: 'step', index: shift - 1 };
  for (const step of program.steps) {
    steps.push(
      mapArgs(step, (arg) => {
        if (arg.from === 'step') return { from: 'step', index: arg.index + shift };
        if (arg.from !== 'operand') return arg;
        const operand = program.operands[arg.index] as string;
        return operand === name ? result : { from: 'operand', index: indexIn(operands, operand) };
      }),
    );
  }
  return { operands, steps };
}

export function mapArgs(step: ProgramStep, map: (arg: ProgramArg) => ProgramArg): ProgramStep {
  return { ...step, args: step.args.map(map) };
}

function indexIn(list: string[], name: string): number {
  const at = list.indexOf(name);
  return at >= 0 ? at : list.push(name) - 1;
}

/** How many nodes read each value. */
export function countReaders(graph: Graph): Map<string, number> {
  const counts = new Map<string, number>();
  for (const node of graph.nodes)
    for (const name of new Set(valuesRead(node))) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
