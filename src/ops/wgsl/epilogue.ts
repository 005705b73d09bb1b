// The tail of a kernel: what happens to four computed results on their way to memory. With a fused
// program it loads the program's operands and runs it; without one it passes the results through.
//
// The shader calls
//   epilogue(v: vec4<accumulator>, index: u32, channel: u32) -> vec4<result>
// with `index` the flat position of lane 0 in output 0 (lanes are consecutive there, or as far apart as the kernel says) and
// `channel` the coordinate of lane 0 along the kernel's channel axis.

import type { DType } from '../../base/dtype';
import { sameDims, sizeOf } from '../../base/shape';
import type { Operand } from '../../ir/kernel';
import { NodeView, type TensorType } from '../../ir/node-view';
import { computeVec, elementAt, elementHelpers, wordType } from './elements';
import { programCode } from './program';

export interface Epilogue {
  /** Put in front of the shader: declarations of the operands and the function `epilogue`. */
  readonly text: string;
  readonly bindings: Readonly<Record<string, Operand>>;
}

/** Whether four lanes lie in one channel ('same'), in four consecutive ones ('step'), or in one and so many elements apart. */
export type Lanes = 'same' | 'step' | { readonly apart: string };

export type OperandClass = 'scalar' | 'channel' | 'full';

/** How an operand follows the kernel's output; undefined where an epilogue cannot read it. */
export function operandClass(operand: TensorType, output: TensorType, axis: number): OperandClass | undefined {
  const { dims } = operand;
  if (sizeOf(dims) === 1) return 'scalar';
  if (sameDims(dims, output.dims)) return 'full';
  const lead = output.dims.length - dims.length;
  if (lead < 0) return undefined;
  const isChannel = dims.every((d, i) => (i + lead === axis ? d === output.dims[axis] : d === 1));
  return isChannel && axis >= lead ? 'channel' : undefined;
}

/**
 * @param firstBinding number of the first operand's binding, after the kernel's own
 * @param accumulator type of the bare result
 */
export function epilogue(
  n: NodeView,
  axis: number,
  lanes: Lanes,
  firstBinding: number,
  accumulator: DType = n.input(0).dtype,
): Epilogue {
  const output = n.output(0);
  if (!n.program) {
    const vec = computeVec(output.dtype);
    return { text: `fn epilogue(v: ${vec}, index: u32, channel: u32) -> ${vec} { return v; }`, bindings: {} };
  }
  const code = programCode(n, accumulator);
  const declarations: string[] = [];
  const bindings: Record<string, Operand> = {};
  const loads = n.operands.map((operand, i) => {
    const name = `operand${i}`;
    declarations.push(
      `@group(0) @binding(${firstBinding + i}) var<storage, read> ${name}: array<${wordType(operand.dtype)}>;`,
    );
    bindings[name] = { operand: i };
    return loadLanes(operand, output, axis, lanes, name);
  });
  const text = [
    elementHelpers,
    ...declarations,
    code.text,
    `fn epilogue(v: ${computeVec(accumulator)}, index: u32, channel: u32) -> ${computeVec(code.result)} {`,
    `  return program(${['v', ...loads].join(', ')});`,
    '}',
  ].join('\n');
  return { text, bindings };
}

/**
 * As `epilogue`, without a Relu that ends the program: the kernel applies it where its parameter `rectified` is 1.
 * So nodes with and without one share a pipeline, and with it the time that compiling takes.
 */
export function epilogueBeforeRelu(
  n: NodeView,
  ...rest: [axis: number, lanes: Lanes, firstBinding: number]
): Epilogue & { readonly rectified: 0 | 1 } {
  const { program } = n;
  const last = program?.steps.at(-1);
  const [arg] = last?.args ?? [];
  const ofAll =
    arg?.from === 'accumulator' || (arg?.from === 'step' && arg.index === Number(program?.steps.length) - 2);
  if (!program || last?.op !== 'Relu' || !ofAll) return { ...epilogue(n, ...rest), rectified: 0 };
  const steps = program.steps.slice(0, -1);
  const node = { ...n.node, program: steps.length > 0 ? { ...program, steps } : undefined };
  const view = new NodeView(node, n.attributes, n.inputs, n.outputs, n.operands, n.steps.slice(0, -1));
  return { ...epilogue(view, ...rest), rectified: 1 };
}

function loadLanes(operand: TensorType, output: TensorType, axis: number, lanes: Lanes, name: string): string {
  const at = (index: string) => elementAt(operand.dtype, name, index);
  const four = (from: string, step = '1u') =>
    `vec4(${[0, 1, 2, 3].map((l) => at(`${from} + ${l}u * ${step}`)).join(', ')})`;
  switch (operandClass(operand, output, axis)) {
    case 'scalar':
      return `vec4(${at('0u')})`;
    case 'full':
      return four('index', typeof lanes === 'string' ? undefined : lanes.apart);
    case 'channel':
      return lanes === 'step' ? four('channel') : `vec4(${at('channel')})`;
    case undefined:
      throw new Error(`Operand ${name} cannot be read in an epilogue along axis ${axis}.`);
  }
}
