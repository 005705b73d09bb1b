// A fused pointwise program as WGSL: one function over four lanes. Used by the pointwise kernel, and as
// the epilogue of kernels that compute something else first.

import type { DType } from '../../base/dtype';
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
    const types: (DType | undefined)[] = [];
    const args = step.args.map((arg) => {
      switch (arg.from) {
        case 'accumulator':
          types.push(accumulator);
          return 'accumulator';
        case 'operand':
          types.push(n.operands[arg.index]?.dtype);
          return `o${arg.index}`;
        case 'step':
          types.push(program.steps[arg.index]?.dtype);
          return `s${arg.index}`;
        case 'literal':
          types.push(arg.dtype);
          return `${computeVec(arg.dtype)}(${literal(arg.dtype, arg.value)})`;
        case 'absent':
          types.push(undefined);
          return undefined;
      }
    });
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
