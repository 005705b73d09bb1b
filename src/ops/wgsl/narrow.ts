// 8- and 16-bit integers are computed in 32 bits. Operators whose result may leave the narrow range wrap
// it as they go, so that the next operator of a fused chain sees what storing would have given.

import { type DType, deviceType } from '../../base/dtype';

/** Expression: `value`, four 32-bit integers, wrapped to the range of `dtype`. Wider types pass through. */
export function narrow(dtype: DType, value: string): string {
  switch (deviceType(dtype)) {
    case 'int8':
      return `(((${value}) << vec4u(24u)) >> vec4u(24u))`;
    case 'int16':
      return `(((${value}) << vec4u(16u)) >> vec4u(16u))`;
    case 'uint8':
      return `((${value}) & vec4u(0xffu))`;
    case 'uint16':
      return `((${value}) & vec4u(0xffffu))`;
    default:
      return value;
  }
}
