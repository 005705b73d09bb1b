// Text of convolutions along output rows: what the taps of one kernel row meet at four neighbouring outputs. Written
// out, since neither software adapters nor all drivers unroll loops, and each input is to be loaded once for all taps.

import type { Window } from '../window';

/** Columns above which the text takes too long to compile. */
export const mostColumns = 36;

/** Columns of the input that four neighbouring outputs read, counted from the first. */
export function lineColumns({ kernel, strides, dilations }: Window): number {
  return 3 * (strides[2] as number) + ((kernel[2] as number) - 1) * (dilations[2] as number) + 1;
}

/**
 * For a shader that has `x`, an array of elem, and params.inWidth:
 *   columnsAt(first: i32) -> Columns                   which columns of a row exist, from the first that is read
 *   lineAt(at: u32, has: Columns, exists: bool) -> Line   element k: what tap k meets at four outputs, zero in padding;
 *                                                      `at` is where the first column lies, or would
 * Columns that do not exist are loaded from wherever their number leads, which WGSL keeps within x, and put to zero.
 */
export function lineText(window: Window): string {
  const [, , taps] = window.kernel as [number, number, number];
  const [stride, dilation] = [window.strides[2] as number, window.dilations[2] as number];
  const column = (tap: number, lane: number) => tap * dilation + lane * stride;
  const each = (count: number) => Array.from({ length: count }, (_, i) => i);
  const met = each(taps).map((tap) => each(4).map((lane) => column(tap, lane)));
  const used = [...new Set(met.flat())].sort((a, b) => a - b);
  const loads = used.map((c, i) => `  let c${c} = select(0.0, f32(x[at + ${c}u]), exists & has[${i}]);`);
  return `
const KERNEL_X = ${taps}u;
alias Columns = array<bool, ${used.length}>;
alias Line = array<vec4f, KERNEL_X>;
fn hasColumn(column: i32) -> bool { return u32(column) < u32(params.inWidth); }
fn columnsAt(first: i32) -> Columns {
  return Columns(${used.map((c) => `hasColumn(first + ${c})`).join(', ')});
}
fn lineAt(at: u32, has: Columns, exists: bool) -> Line {
${loads.join('\n')}
  return Line(${met.map((four) => `vec4f(${four.map((c) => `c${c}`).join(', ')})`).join(', ')});
}
`;
}

/** Expression: the sum over the taps of a line, `weight` giving the WGSL of each tap's. */
export function tapSum(line: string, window: Window, weight: (tap: number) => string): string {
  return Array.from({ length: window.kernel[2] as number }, (_, tap) => `${line}[${tap}] * ${weight(tap)}`).join(' + ');
}
