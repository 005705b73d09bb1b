// The graph checker: throws where an invariant of graph.ts does not hold. Readers run it on what they
// read (a model may be malformed); passes run it on their own results in debug builds.

import { packedBytes } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { formatDims, sizeOf } from '../base/shape';
import { subgraphsOf } from './captures';
import { type Graph, type Node, type Program, type Value, valuesRead } from './graph';

type Fail = (problem: string, details: Record<string, unknown>) => never;

/**
 * @param origin who made the graph, for the message: 'the model', 'pass foldBatchNorm'
 * @throws INVALID_MODEL with the first offence found
 */
export function checkGraph(graph: Graph, origin: string): void {
  checkScope(graph, origin, () => false);
}

/** @param isOuter whether a subgraph may read the value from the graph around it */
function checkScope(graph: Graph, origin: string, isOuter: (name: string) => boolean): void {
  const fail: Fail = (problem, details) => {
    throw new LeptonError('INVALID_MODEL', `Malformed graph "${graph.name}" (${origin}): ${problem}`, { details });
  };
  const known = new Set<string>();
  for (const value of graph.values.values()) {
    if (value.members !== undefined) known.add(value.name);
    if (!value.constant) continue;
    checkConstant(value, fail);
    known.add(value.name);
  }
  for (const name of graph.inputs) {
    if (!graph.values.has(name)) fail(`input "${name}" has no type.`, { value: name });
    if (known.has(name)) fail(`input "${name}" is listed twice, or is a constant.`, { value: name });
    known.add(name);
  }
  const written = new Set(graph.nodes.flatMap((node) => node.outputs));
  const isKnown = (name: string) => known.has(name) || (!written.has(name) && isOuter(name));
  for (const node of graph.nodes) {
    const who = `${node.op} node "${node.name}"`;
    const where = { node: node.name, op: node.op };
    for (const name of valuesRead(node)) {
      if (!isKnown(name)) fail(`${who} reads "${name}", ${whyUnknown(written.has(name))}.`, { ...where, value: name });
      if (!graph.values.has(name)) fail(`"${name}", which ${who} reads, has no type.`, { ...where, value: name });
    }
    if (node.program) checkProgram(node.program, node, fail);
    for (const subgraph of subgraphsOf(node)) checkScope(subgraph, origin, isKnown);
    for (const name of node.outputs) {
      if (name === '') continue;
      if (known.has(name)) fail(`"${name}" is written a second time, by ${who}.`, { ...where, value: name });
      if (!graph.values.has(name)) fail(`"${name}", which ${who} writes, has no type.`, { ...where, value: name });
      known.add(name);
    }
  }
  for (const name of graph.outputs) if (!isKnown(name)) fail(`output "${name}" is never computed.`, { value: name });
}

function whyUnknown(writtenLater: boolean): string {
  return writtenLater
    ? 'which is computed only by a later node (the nodes are out of order, or form a cycle)'
    : 'which nothing provides';
}

function checkConstant({ name, dtype, dims, constant }: Value, fail: Fail): void {
  const shape = dims ?? [];
  if (!constant) return;
  if (!dims || !shape.every((d) => typeof d === 'number')) {
    fail(`the constant "${name}" has no concrete shape, but ${dims ? formatDims(dims) : 'none'}.`, { value: name });
  }
  const expected = `${dtype} ${formatDims(shape)}`;
  if (constant.kind === 'inline') {
    const { array } = constant;
    const got = `${array.dtype} ${formatDims(array.dims)}`;
    if (got !== expected)
      fail(`the constant "${name}" is declared ${expected}, but holds ${got}.`, { value: name, expected, got });
  } else {
    const bytes = packedBytes(constant.bytes.dtype ?? dtype, sizeOf(shape as number[]));
    const got = constant.bytes.length;
    if (got !== bytes) {
      fail(`the constant "${name}" (${expected}) needs ${bytes} bytes, but refers to ${got}.`, {
        value: name,
        expected: bytes,
        got,
      });
    }
  }
}

function checkProgram({ operands, steps }: Program, node: Node, fail: Fail): void {
  const where = { node: node.name, op: node.op };
  if (steps.length === 0) fail(`the program of ${node.op} node "${node.name}" is empty.`, where);
  steps.forEach((step, at) => {
    for (const arg of step.args) {
      const limit = arg.from === 'operand' ? operands.length : arg.from === 'step' ? at : undefined;
      if (limit === undefined || !('index' in arg) || (arg.index >= 0 && arg.index < limit)) continue;
      fail(
        `step ${at} (${step.op}) of the program of ${node.op} node "${node.name}" reads ${arg.from} ${arg.index}, but there are ${limit} before it.`,
        { ...where, step: at, got: arg.index, expected: limit },
      );
    }
  });
}
