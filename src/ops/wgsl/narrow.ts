// Integers below 32 bits are computed in 32 bits. Operators whose result may leave the narrow range wrap it as
// they go, so that the next operator of a fused chain sees what storing would have given.

import { bitSize, type DType } from '../../base/dtype';

/** Expression: `value`, four 32-bit integers, wrapped to the range of `dtype`. Other types pass through. */
export function narrow(dtype: DType, value: string): string {
  const bits = bitSize(dtype);
  if (bits >= 32 || !/^u?int/.test(dtype)) return value;
  if (dtype.startsWith('u')) return `((${value}) & vec4u(${2 ** bits - 1}u))`;
  return `(((${value}) << vec4u(${32 - bits}u)) >> vec4u(${32 - bits}u))`;
}
