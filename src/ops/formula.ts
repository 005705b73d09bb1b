// Arithmetic over numbers or over values of a graph: a formula written once serves as reference and as `lower`.

import type { DType } from '../base/dtype';
import { scalar } from '../base/ndarray';
import type { LowerBuilder } from '../ir/opdef';

/** Arithmetic over numbers (the reference) or names of values in a graph (`lower`). */
export interface Arithmetic<T> {
  number(value: number): T;
  add(a: T, b: T): T;
  subtract(a: T, b: T): T;
  multiply(a: T, b: T): T;
  divide(a: T, b: T): T;
  power(a: T, b: T): T;
  sqrt(a: T): T;
  /** `a` where `x` is above zero, else `b`. */
  ifPositive(x: T, a: T, b: T): T;
}

export const hostArithmetic: Arithmetic<number> = {
  number: (value) => value,
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  power: (a, b) => a ** b,
  sqrt: Math.sqrt,
  ifPositive: (x, a, b) => (x > 0 ? a : b),
};

/** Over names of values of type `dtype`. */
export function valueArithmetic(b: LowerBuilder, dtype: DType): Arithmetic<string> {
  const add = (op: string, ...inputs: string[]) => b.add(op, inputs)[0] as string;
  const number = (value: number) => b.constant(scalar(dtype, value));
  return {
    number,
    add: (p, q) => add('Add', p, q),
    subtract: (p, q) => add('Sub', p, q),
    multiply: (p, q) => add('Mul', p, q),
    divide: (p, q) => add('Div', p, q),
    power: (p, q) => add('Pow', p, q),
    sqrt: (p) => add('Sqrt', p),
    ifPositive: (x, p, q) => add('Where', add('Greater', x, number(0)), p, q),
  };
}
