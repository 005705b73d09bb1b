// Numbers as words that compare as the numbers do: a total order, in which both zeros are one and NaN has a place.

import type { AccumulatorType } from '../reduce/reducer';

/**
 * WGSL of `order_key(x)`: of a scalar or, with 4 lanes, of a vec4, as u32.
 * @param nan where NaN stands among all numbers
 */
export function orderKeyText(scalar: AccumulatorType, lanes: 1 | 4, nan: 'lowest' | 'highest'): string {
  const [from, to] = lanes === 1 ? [scalar, 'u32'] : [`vec4<${scalar}>`, 'vec4u'];
  if (scalar === 'u32') return `fn order_key(x: ${from}) -> ${to} { return x; }\n`;
  if (scalar === 'i32') return `fn order_key(x: ${from}) -> ${to} { return bitcast<${to}>(x) ^ ${to}(0x80000000u); }\n`;
  return `fn order_key(x: ${from}) -> ${to} {
  let bits = bitcast<${to}>(x);
  let above = select(bits | ${to}(0x80000000u), ~bits, bits >= ${to}(0x80000000u));
  let zeroed = select(above, ${to}(0x80000000u), (bits & ${to}(0x7fffffffu)) == ${to}());
  return select(zeroed, ${to}(${nan === 'lowest' ? '0u' : '0xffffffffu'}), (bits & ${to}(0x7fffffffu)) > ${to}(0x7f800000u));
}
`;
}
