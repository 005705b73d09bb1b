// An Einsum as transpositions, sums and products: operands are freed of repeated labels and of axes that nothing
// else has, and multiplied one after the other, as matrices where they share axes that are summed over.

import { int64s } from '../../base/ndarray';
import { type Dims, sizeOf } from '../../base/shape';
import type { LowerBuilder } from '../../ir/opdef';
import { reshaped } from '../quantize/requantize';
import type { Equation } from './equation';

interface Term {
  readonly name: string;
  /** One label an axis, each once. */
  readonly labels: readonly string[];
}

/** Adds the nodes; returns the name of the result. */
export function lowerEinsum(b: LowerBuilder, { operands, output, sizes }: Equation, names: readonly string[]): string {
  const one = (op: string, inputs: readonly string[], attributes = {}) => b.add(op, inputs, attributes)[0] as string;
  const list = (values: readonly number[]) => b.constant(int64s(values));
  const dimsOf = (labels: readonly string[]) => labels.map((label) => sizes.get(label) as number);

  const inOrder = (term: Term, labels: readonly string[]): string => {
    const perm = labels.map((label) => term.labels.indexOf(label));
    return perm.every((from, to) => from === to) ? term.name : one('Transpose', [term.name], { perm });
  };

  /** Without axes of size 1 that broadcast: they have no part in the product. */
  const withoutStretched = (name: string, labels: readonly string[]): Term => {
    const { dims } = b.type(name);
    const kept = labels.map((label, d) => dims[d] === sizes.get(label));
    return {
      name: reshaped(
        b,
        name,
        dims.filter((_, d) => kept[d]),
      ),
      labels: labels.filter((_, d) => kept[d]),
    };
  };

  /** The diagonal of two axes of one label: every (size + 1)th element of both together. */
  const diagonal = (term: Term): Term => {
    const first = term.labels.findIndex((label, d) => term.labels.indexOf(label, d + 1) >= 0);
    if (first < 0) return term;
    const label = term.labels[first] as string;
    const second = term.labels.indexOf(label, first + 1);
    const others = term.labels.map((_, d) => d).filter((d) => d !== first && d !== second);
    const turned = one('Transpose', [term.name], { perm: [...others, first, second] });
    const labels = others.map((d) => term.labels[d] as string);
    const size = sizes.get(label) as number;
    const flat = reshaped(b, turned, [...dimsOf(labels), size * size]);
    const bounds = [[0], [size * size], [labels.length], [size + 1]].map(list);
    return diagonal({ name: one('Slice', [flat, ...bounds]), labels: [...labels, label] });
  };

  const sumOver = (term: Term, kept: (label: string) => boolean): Term => {
    const axes = term.labels.flatMap((label, d) => (kept(label) ? [] : [d]));
    if (axes.length === 0) return term;
    return { name: one('ReduceSum', [term.name, list(axes)], { keepdims: 0 }), labels: term.labels.filter(kept) };
  };

  const multiply = (a: Term, c: Term, kept: (label: string) => boolean): Term => {
    const shared = a.labels.filter((label) => c.labels.includes(label));
    const batch = shared.filter(kept);
    const summed = shared.filter((label) => !kept(label));
    const [rows, columns] = [a, c].map((t) => t.labels.filter((label) => !shared.includes(label))) as [
      string[],
      string[],
    ];
    if (summed.length === 0 || rows.length + columns.length === 0) {
      const labels = [...batch, ...rows, ...columns, ...summed];
      const factors = [a, c].map((t) => {
        const own = inOrder(
          t,
          labels.filter((label) => t.labels.includes(label)),
        );
        return reshaped(
          b,
          own,
          labels.map((label) => (t.labels.includes(label) ? (sizes.get(label) as number) : 1)),
        );
      });
      return sumOver({ name: one('Mul', factors), labels }, kept);
    }
    const matrix = (t: Term, order: readonly string[], size: Dims) =>
      reshaped(b, inOrder(t, order), [...dimsOf(batch), ...size]);
    const [m, k, n] = [rows, summed, columns].map((labels) => sizeOf(dimsOf(labels))) as [number, number, number];
    // The orders that a product can read as they lie save a transposition.
    const lies = (t: Term, order: readonly string[]) => order.every((label, d) => label === t.labels[d]);
    const transA = lies(a, [...batch, ...summed, ...rows]) && !lies(a, [...batch, ...rows, ...summed]);
    const transB = lies(c, [...batch, ...columns, ...summed]) && !lies(c, [...batch, ...summed, ...columns]);
    const left = transA
      ? matrix(a, [...batch, ...summed, ...rows], [k, m])
      : matrix(a, [...batch, ...rows, ...summed], [m, k]);
    const right = transB
      ? matrix(c, [...batch, ...columns, ...summed], [n, k])
      : matrix(c, [...batch, ...summed, ...columns], [k, n]);
    const product = one('lepton.MatMul', [left, right], { transA: Number(transA), transB: Number(transB) });
    const labels = [...batch, ...rows, ...columns];
    return { name: reshaped(b, product, dimsOf(labels)), labels };
  };

  const terms = operands.map((labels, i) => diagonal(withoutStretched(names[i] as string, labels)));
  const keptAfter = (i: number) => {
    const rest = new Set([...output, ...terms.slice(i + 1).flatMap((t) => t.labels)]);
    return (label: string) => rest.has(label);
  };
  const result = terms.reduce<Term | undefined>((product, term, i) => {
    if (!product) return sumOver(term, keptAfter(i));
    const others = keptAfter(i);
    const own = sumOver(term, (label) => others(label) || product.labels.includes(label));
    return sumOver(multiply(product, own, others), others);
  }, undefined) as Term;
  return inOrder(result, output);
}
