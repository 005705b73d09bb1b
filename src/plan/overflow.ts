// Which values may hold the markers that stand for 64-bit integers beyond 32 bits: those that arithmetic has
// computed, and what depends on them. Elsewhere the bits of a marker are a number like any other.

import type { DType } from '../base/dtype';
import { type Graph, type Node, type ProgramArg, valuesRead } from '../ir/graph';

/** Operators whose kernels write markers: see ops/wgsl/wide-integers.ts. Of Neg, Abs and Div they come by nature. */
const writesMarkers = new Set(
  (
    'Add Sub Mul Div Neg Abs Pow Sum Cast BitShift CumSum CumProd ReduceSum ReduceProd ReduceSumSquare ReduceL1 ' +
    'lepton.MatMul'
  ).split(' '),
);

/** @param inputs those of the graph's inputs that may hold markers: earlier stages and models have computed them */
export function overflowing(graph: Graph, inputs: ReadonlySet<string> = new Set()): ReadonlySet<string> {
  const typeOf = (name: string) => graph.values.get(name)?.dtype;
  const found = new Set([...inputs].filter((name) => isWide(typeOf(name))));
  for (const node of graph.nodes) {
    if (!marks(node, typeOf) && !valuesRead(node).some((name) => found.has(name))) continue;
    for (const name of node.outputs) if (isWide(typeOf(name))) found.add(name);
  }
  return found;
}

function marks(node: Node, typeOf: (name: string) => DType | undefined): boolean {
  const { operands, steps } = node.program ?? { operands: [], steps: [] };
  const argType = (arg: ProgramArg): DType | undefined => {
    if (arg.from === 'operand') return typeOf(operands[arg.index] ?? '');
    if (arg.from === 'step') return steps[arg.index]?.dtype;
    return arg.from === 'accumulator' ? typeOf(node.inputs[0] ?? '') : undefined;
  };
  return (
    writesMarkers.has(node.op) ||
    steps.some(
      ({ op, dtype, args: [x] }) =>
        isWide(dtype) && writesMarkers.has(op) && !(op === 'Cast' && x && isWithin(argType(x), dtype)),
    )
  );
}

/** Whether every value of an integer type is one of the other's 32 bits. */
function isWithin(from: DType | undefined, to: DType): boolean {
  if (from === undefined || from === 'bool') return true;
  return (to === 'int64' ? /^int|^uint(2|4|8|16)$/ : /^uint/).test(from);
}

function isWide(dtype: DType | undefined): boolean {
  return dtype === 'int64' || dtype === 'uint64';
}
