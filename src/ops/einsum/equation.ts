// The equation of an Einsum: which label every axis of every operand and of the result has. Axes of an ellipsis
// have labels of their own, '.0' the last of them. Axes of size 1 broadcast.

import { type Dims, formatDims } from '../../base/shape';
import type { NodeView } from '../../ir/node-view';

export type EinsumNode = NodeView<{ readonly equation: string }>;

export interface Equation {
  /** For each operand the labels of its axes. */
  readonly operands: readonly (readonly string[])[];
  readonly output: readonly string[];
  readonly sizes: ReadonlyMap<string, number>;
}

/** Throws INVALID_MODEL where the equation is malformed or does not fit the operands. */
export function equationOf(n: EinsumNode): Equation {
  const text = n.attributes.equation.replace(/\s/g, '');
  const [left = '', right, more] = text.split('->');
  const terms = left.split(',');
  if (more !== undefined || !/^[A-Za-z.,]*$/.test(left) || !/^[A-Za-z.]*$/.test(right ?? ''))
    n.fail(`has the equation "${text}", which is none`);
  if (terms.length !== n.inputs.length) n.fail(`has ${terms.length} terms in "${text}"`);
  const operands = terms.map((term, i) => labelsOf(n, term, n.input(i).dims));
  const sizes = new Map<string, number>();
  operands.forEach((labels, i) => {
    labels.forEach((label, d) => {
      const size = n.input(i).dims[d] as number;
      const known = sizes.get(label) ?? 1;
      if (size !== known && size !== 1 && known !== 1)
        n.fail(`has the sizes ${known} and ${size} for "${label}" of "${text}"`);
      sizes.set(label, known === 1 ? size : known);
    });
  });
  const ellipsis = [...sizes.keys()].filter(isEllipsis).sort((a, b) => Number(b.slice(1)) - Number(a.slice(1)));
  const output = right === undefined ? impliedOutput(operands, ellipsis) : explicitOutput(n, right, ellipsis);
  for (const label of output) if (!sizes.has(label)) n.fail(`has "${label}" in the result of "${text}" only`);
  return { operands, output, sizes };
}

const isEllipsis = (label: string) => label.startsWith('.');

function labelsOf(n: EinsumNode, term: string, dims: Dims): string[] {
  const [before = '', after, more] = term.split('...');
  const named = before.length + (after?.length ?? 0);
  const hidden = dims.length - named;
  if (more !== undefined || /\./.test(before + (after ?? '')) || hidden < 0 || (after === undefined && hidden > 0))
    n.fail(`has the term "${term}" for an operand of shape ${formatDims(dims)}`);
  const axes = Array.from({ length: hidden }, (_, i) => `.${hidden - 1 - i}`);
  return [...before, ...axes, ...(after ?? '')];
}

/** The axes of the ellipsis, then every label that stands once, in alphabetical order. */
function impliedOutput(operands: Equation['operands'], ellipsis: readonly string[]): string[] {
  const all = operands.flat().filter((label) => !isEllipsis(label));
  return [...ellipsis, ...all.filter((label) => all.indexOf(label) === all.lastIndexOf(label)).sort()];
}

function explicitOutput(n: EinsumNode, term: string, ellipsis: readonly string[]): string[] {
  const [before = '', after, more] = term.split('...');
  const output = [...before, ...(after === undefined ? [] : ellipsis), ...(after ?? '')];
  if (more !== undefined || output.includes('.') || new Set(output).size !== output.length)
    n.fail(`has the result "${term}", which is malformed or names a label twice`);
  return output;
}
