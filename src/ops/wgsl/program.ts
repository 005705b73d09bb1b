// A fused pointwise program as WGSL: one function over four lanes. Used by the pointwise kernel, and as
// the epilogue of kernels that compute something else first.

import type { DType } from '../../base/dtype';
import type { ProgramArg } from '../../ir/graph';
import type { NodeView } from '../../ir/node-view';
import { computeVec, literal } from './elements';

export interface ProgramCode {
  /** `fn program(accumulator, operand0, operand1, …) -> vec4<result>`, with what it calls. */
  readonly text: string;
  readonly result: DType;
}

/**
 * @param accumulator type of the value the node's kernel has computed; undefined where the program
 *   starts from its operands alone
 */
export function programCode(n: NodeView, accumulator: DType | undefined): ProgramCode {
  const program = n.program;
  if (!program) throw new Error(`Node ${n.node.name} has no program.`);
  const functions = new Map<string, string>();
  const lines: string[] = [];
  program.steps.forEach((step, k) => {
    const args = step.args.map(argText);
    const types = step.args.map((arg) => argType(arg, n, accumulator));
    const { rule, attributes } = n.steps[k] as NodeView['steps'][number];
    const vec = computeVec(step.dtype);
    const code = rule({ attributes, args, argTypes: types, dtype: step.dtype, vec });
    for (const [name, text] of Object.entries(code.functions ?? {})) functions.set(name, text);
    lines.push(`  let s${k}: ${vec} = ${code.expression};`);
  });
  const parameters = n.operands.map((o, i) => `o${i}: ${computeVec(o.dtype)}`);
  if (accumulator) parameters.unshift(`accumulator: ${computeVec(accumulator)}`);
  const result = program.steps[program.steps.length - 1]?.dtype as DType;
  const text = [
    ...functions.values(),
    `fn program(${parameters.join(', ')}) -> ${computeVec(result)} {`,
    ...lines,
    `  return s${program.steps.length - 1};`,
    '}',
  ].join('\n');
  return { text, result };
}

function argText(arg: ProgramArg): string | undefined {
  switch (arg.from) {
    case 'accumulator':
      return 'accumulator';
    case 'operand':
      return `o${arg.index}`;
    case 'step':
      return `s${arg.index}`;
    case 'literal':
      return `${computeVec(arg.dtype)}(${literal(arg.dtype, arg.value)})`;
    case 'absent':
      return undefined;
  }
}

function argType(arg: ProgramArg, n: NodeView, accumulator: DType | undefined): DType | undefined {
  switch (arg.from) {
    case 'accumulator':
      return accumulator;
    case 'operand':
      return n.operands[arg.index]?.dtype;
    case 'step':
      return n.program?.steps[arg.index]?.dtype;
    case 'literal':
      return arg.dtype;
    case 'absent':
      return undefined;
  }
}
