// int64 and uint64 are 32 bits wide on the GPU. A sum, difference or product that those do not hold becomes the
// type's marker, as does what is computed from a marker; reading a marker back is an error (device-form.ts).
// Other integers wrap around.

import type { DType } from '../../base/dtype';
import { narrow } from './narrow';

export type Arithmetic = 'add' | 'subtract' | 'multiply';

const operators = { add: '+', subtract: '-', multiply: '*' } as const;

const beyond = {
  i32: {
    add: '((a ^ s) & (b ^ s)) < T()',
    subtract: '((a ^ b) & (a ^ s)) < T()',
    multiply: '(b != T()) & (s / select(b, T(1), b == T()) != a)',
  },
  u32: {
    add: 's < a',
    subtract: 'b > a',
    multiply: '(b != T()) & (s / select(b, T(1), b == T()) != a)',
  },
} as const;

/** The marker as a WGSL expression. */
export function marker(dtype: 'int64' | 'uint64'): string {
  return dtype === 'int64' ? 'i32(-2147483647 - 1)' : '0xffffffffu';
}

export function isWide(dtype: DType): dtype is 'int64' | 'uint64' {
  return dtype === 'int64' || dtype === 'uint64';
}

/**
 * Numbers of `dtype` added, subtracted or multiplied.
 * @param vector WGSL type of the operands `a` and `b`; a scalar is as good
 */
export function arithmetic(
  dtype: DType,
  operation: Arithmetic,
  vector: string,
  a: string,
  b: string,
): { expression: string; functions: Record<string, string> } {
  const plain = `${a} ${operators[operation]} ${b}`;
  if (!isWide(dtype)) return { expression: narrow(dtype, plain), functions: {} };
  const scalar = dtype === 'int64' ? 'i32' : 'u32';
  const name = `lepton_${operation}_${dtype}`;
  const text = `fn ${name}(a: T, b: T) -> T {
  let s = a ${operators[operation]} b;
  let marker = T(${marker(dtype)});
  return select(s, marker, (${beyond[scalar][operation]}) | (a == marker) | (b == marker));
}`;
  return { expression: `${name}(${a}, ${b})`, functions: { [name]: text.replace(/\bT\b/g, vector) } };
}
