// What the models of ai.onnx.ml do to a row of scores at the end, on the host and as nodes.

import { scalar } from '../../base/ndarray';
import type { NodeView } from '../../ir/node-view';
import type { LowerBuilder } from '../../ir/opdef';

/** By their numbers in TreeEnsemble. */
export const postTransforms = ['NONE', 'SOFTMAX', 'LOGISTIC', 'SOFTMAX_ZERO', 'PROBIT'] as const;
export type PostTransform = (typeof postTransforms)[number];

/** Throws INVALID_MODEL where ONNX knows no such transform. */
export function postTransformOf(n: NodeView, name: string | undefined): PostTransform {
  const found = postTransforms.find((known) => known === name);
  return found ?? n.fail(`has the post_transform ${name}; ONNX defines ${postTransforms.join(', ')}`);
}

export function transformRow(kind: PostTransform, row: readonly number[]): number[] {
  switch (kind) {
    case 'NONE':
      return [...row];
    case 'LOGISTIC':
      return row.map((x) => 1 / (1 + Math.exp(-x)));
    case 'PROBIT':
      return row.map(probit);
    case 'SOFTMAX':
    case 'SOFTMAX_ZERO': {
      // Scores of exactly 0 stay 0 in SOFTMAX_ZERO, and take no part.
      const counts = row.map((x) => kind === 'SOFTMAX' || x !== 0);
      const largest = Math.max(...row.filter((_, i) => counts[i]));
      const exponentials = row.map((x, i) => (counts[i] ? Math.exp(x - largest) : 0));
      const sum = exponentials.reduce((a, b) => a + b, 0);
      return exponentials.map((e) => (sum === 0 ? 0 : e / sum));
    }
  }
}

const a = 0.147;

/** √2 · erf⁻¹(2p - 1), with Winitzki's approximation of erf⁻¹, accurate to 2e-3. */
function probit(p: number): number {
  const x = 2 * p - 1;
  const log = Math.log((1 - x) * (1 + x));
  const half = 2 / (Math.PI * a) + log / 2;
  return Math.SQRT2 * Math.sign(x) * Math.sqrt(-half + Math.sqrt(half * half - log / a));
}

/** The same of every row of float32 [rows, scores]. */
export function lowerTransform(kind: PostTransform, b: LowerBuilder, x: string): string {
  const add = (op: string, ...inputs: string[]) => b.add(op, inputs)[0] as string;
  const number = (value: number) => b.constant(scalar('float32', value));
  switch (kind) {
    case 'NONE':
      return x;
    case 'LOGISTIC':
      return add('Sigmoid', x);
    case 'SOFTMAX':
      return b.add('Softmax', [x], { axis: -1 })[0] as string;
    case 'SOFTMAX_ZERO': {
      const zero = add('Equal', x, number(0));
      const masked = add('Where', zero, number(-3e38), x);
      const shares = b.add('Softmax', [masked], { axis: -1 })[0] as string;
      return add('Where', zero, number(0), shares);
    }
    case 'PROBIT': {
      const y = add('Sub', add('Mul', x, number(2)), number(1));
      const log = add('Log', add('Mul', add('Sub', number(1), y), add('Add', number(1), y)));
      const half = add('Add', add('Mul', log, number(0.5)), number(2 / (Math.PI * a)));
      const root = add('Sqrt', add('Sub', add('Mul', half, half), add('Div', log, number(a))));
      return add('Mul', add('Mul', add('Sign', y), number(Math.SQRT2)), add('Sqrt', add('Sub', root, half)));
    }
  }
}
