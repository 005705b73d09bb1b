// Inputs of random cases with values that are unlike others: not numbers, infinite, huge, tiny, ends of integer types.
// WGSL lets an implementation assume that no float is NaN or infinite and round the smallest ones to zero, so they
// are fair only where an operator promises something of them: it applies to each element alone, copies elements,
// or has a case with NaN.

import { isFloat } from '../../src/base/dtype';
import { sizeOf } from '../../src/base/shape';
import type { AnyOp, OpCase } from '../../src/ir/opdef';
import { mulberry32 } from '../support/random';
import { draw } from './harness';

const copying =
  /^(Concat|DepthToSpace|Expand|Flatten|Gather(Elements|ND)?|Identity|Pad|Reshape|ReverseSequence|Slice|SpaceToDepth|Split|Tile|Transpose|Trilu)$/;

const nonFinite = [Number.NaN, Infinity, -Infinity, 0, -0, 1];
const extreme = [88, -104, 1e-30, 3.4e38, -1e10];
/** What does not fit the type of their result is nothing that ONNX defines. */
const narrowing = /^(Cast|CastLike|Pow)$/;
/** Their period is lost in the rounding of a huge argument. */
const periodic = /^(Sin|Cos|Tan)$/;

/** Whether the operator takes elements of every type, and any values: it changes or moves each on its own. */
export function takesEverything({ name, pointwise }: AnyOp): boolean {
  return pointwise !== undefined || copying.test(name);
}

/** The inputs with a quarter of the elements of each replaced where that is fair. */
export function withSpecialValues(
  op: AnyOp,
  cases: readonly OpCase[],
  inputs: OpCase['inputs'],
  seed: number,
): OpCase['inputs'] {
  if (narrowing.test(op.name)) return inputs;
  const everyValue = takesEverything(op);
  if (!everyValue && !cases.some((c) => c.inputs.some((input) => input?.values?.some(Number.isNaN)))) return inputs;
  const floats = everyValue && !periodic.test(op.name) ? [...nonFinite, ...extreme] : nonFinite;
  const random = mulberry32(seed);
  return inputs.map((input) => {
    const dtype = input?.dtype ?? 'float32';
    // Other operators take integers as indices.
    const specials = isFloat(dtype) ? floats : op.pointwise ? ends(dtype) : [];
    if (!input || input.constant || specials.length === 0 || sizeOf(input.dims) > 1e4) return input;
    return { ...input, values: replaced(draw(input, Math.floor(random() * 2 ** 31)).data, specials, random) };
  });
}

/** Of types that the GPU computes in exactly. */
function ends(dtype: string): number[] {
  const bits = Number(/^u?int(8|16|32)$/.exec(dtype)?.[1] ?? 0);
  if (bits === 0) return [];
  const [low, high] = dtype.startsWith('u') ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return [low, high, low + 1, Math.floor(high / 2)];
}

function replaced(data: ArrayLike<number>, specials: readonly number[], random: () => number) {
  return Array.from(data, (v) => (random() < 0.25 ? (specials[Math.floor(random() * specials.length)] as number) : v));
}
