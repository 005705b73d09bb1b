// Moves a pointwise program into the kernel that computes its input (bias, activation, residual), where
// that kernel has an epilogue, nothing else reads the bare result, and the program's other operands are
// there by then.

import type { AdapterProfile } from '../base/adapter';
import { sameDims } from '../base/shape';
import type { Graph, Node, Program, ProgramArg, Value } from '../ir/graph';
import type { TensorType } from '../ir/node-view';
import { opOf, viewNode } from '../ops/registry';
import { operandClass } from '../ops/wgsl/epilogue';
import { constantValues } from './constants';
import { countReaders, mapArgs } from './fuse-pointwise';

/** Storage buffers that kernels with an epilogue bind themselves, at most. */
const kernelBuffers = 4;

export function fuseEpilogue(graph: Graph, adapter: AdapterProfile): Graph {
  const readers = countReaders(graph);
  const constants = constantValues(graph);
  const nodes: (Node | undefined)[] = [...graph.nodes];
  /** Position after which a value is there; -1 for inputs and constants. */
  const ready = new Map<string, number>();
  graph.nodes.forEach((node, i) => {
    for (const name of node.outputs) ready.set(name, i);
  });
  graph.nodes.forEach((node, at) => {
    if (node.op !== 'lepton.Pointwise' || !node.program) return;
    const output = node.outputs[0] as string;
    // The latest producer, so that as many as possible of the other operands are there.
    const hosts = node.program.operands
      .filter((name) => ready.has(name) && readers.get(name) === 1 && !graph.outputs.includes(name))
      // What can be computed once, at load, must not become part of every run.
      .filter((name) => constants.has(name) === constants.has(output))
      .sort((a, b) => (ready.get(b) as number) - (ready.get(a) as number));
    for (const name of hosts) {
      const position = ready.get(name) as number;
      const host = nodes[position];
      const fused = host && withProgram(host, name, node, graph.values, adapter);
      if (!fused || node.program.operands.some((o) => o !== name && (ready.get(o) ?? -1) >= position)) continue;
      nodes[position] = fused;
      nodes[at] = undefined;
      ready.set(output, position);
      return;
    }
  });
  return { ...graph, nodes: nodes.filter((n) => n !== undefined) };
}

function withProgram(
  host: Node,
  result: string,
  tail: Node,
  values: ReadonlyMap<string, Value>,
  adapter: AdapterProfile,
): Node | undefined {
  const program = tail.program as Program;
  const output = tail.outputs[0] as string;
  const [bare, final] = [typeOf(values, result), typeOf(values, output)];
  const oneOutput = host.outputs[0] === result && host.outputs.slice(1).every((o) => o === '');
  if (host.program || !oneOutput || !sameDims(bare.dims, final.dims)) return undefined;
  const operands = program.operands.filter((o) => o !== result);
  if (operands.length > adapter.limits.maxStorageBuffersPerShaderStage - kernelBuffers) return undefined;
  const swap = (arg: ProgramArg): ProgramArg => {
    if (arg.from !== 'operand') return arg;
    const name = program.operands[arg.index] as string;
    return name === result ? { from: 'accumulator' } : { from: 'operand', index: operands.indexOf(name) };
  };
  const fused: Node = {
    ...host,
    outputs: [output, ...host.outputs.slice(1)],
    program: { operands, steps: program.steps.map((s) => mapArgs(s, swap)) },
  };
  const view = viewNode(fused, values);
  const able = opOf(host).kernels?.some((kernel) => {
    if (!kernel.epilogueAxis || (bare.dtype !== final.dtype && !kernel.converts)) return false;
    if (kernel.when?.(view, adapter) === false) return false;
    const axis = kernel.epilogueAxis(view);
    return operands.every((o) => operandClass(typeOf(values, o), final, axis) !== undefined);
  });
  return able ? fused : undefined;
}

function typeOf(values: ReadonlyMap<string, Value>, name: string): TensorType {
  const { dtype, dims } = values.get(name) as Value;
  return { dtype, dims: dims as readonly number[] };
}
