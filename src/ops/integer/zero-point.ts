// The zero point of an operand of 8 bits, as kernels read it: of signed bytes, into whose range unsigned ones are shifted.

import { sizeOf } from '../../base/shape';
import type { Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { elementAt } from '../wgsl/elements';

export interface ZeroPoint {
  /** Declares `${name}At(i: u32) -> i32`. */
  readonly text: string;
  readonly bindings: Readonly<Record<string, Operand>>;
  readonly count: number;
  /** Whether it may be other than 0. */
  readonly mayDiffer: boolean;
}

/** @param input the zero point of input `operand`; absent it is 0 */
export function zeroPoint(n: NodeView, name: string, binding: number, operand: number, input: number): ZeroPoint {
  const unsigned = n.input(operand).dtype === 'uint8';
  const zero = n.inputs[input];
  if (!zero) {
    const text = `fn ${name}At(i: u32) -> i32 { return ${unsigned ? -128 : 0}; }\n`;
    return { text, bindings: {}, count: 1, mayDiffer: unsigned };
  }
  const element = elementAt(zero.dtype, name, 'i');
  const text = `@group(0) @binding(${binding}) var<storage, read> ${name}: array<u32>;
fn ${name}At(i: u32) -> i32 { return i32(${element})${unsigned ? ' - 128' : ''}; }
`;
  return {
    text,
    bindings: { [name]: { input } },
    count: sizeOf(zero.dims),
    mayDiffer: unsigned || !zero.array?.data.every((v) => v === 0),
  };
}
