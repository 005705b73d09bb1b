// What backward rules are made of.

import type { DType } from '../base/dtype';
import { int64s, scalar } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { type Dims, sameDims, sizeOf } from '../base/shape';
import type { AttributeValue } from '../ir/graph';
import type { NodeView } from '../ir/node-view';
import type { LowerBuilder, OpDef } from '../ir/opdef';

/** Writes formulas over values by name. Numbers take the type of the value they meet, which is that of `dtype`. */
export class Formula {
  constructor(
    readonly b: LowerBuilder,
    private readonly dtype: DType,
  ) {}

  node(op: string, inputs: readonly string[], attributes: Record<string, AttributeValue> = {}): string {
    return this.b.add(op, inputs, attributes)[0] as string;
  }

  number(value: number): string {
    return this.b.constant(scalar(this.dtype, value));
  }

  /** An element-wise operator on values and numbers, broadcast. */
  of(op: string, ...args: readonly (string | number)[]): string {
    return this.node(
      op,
      args.map((arg) => (typeof arg === 'number' ? this.number(arg) : arg)),
    );
  }

  add = (x: string | number, y: string | number) => this.of('Add', x, y);
  sub = (x: string | number, y: string | number) => this.of('Sub', x, y);
  mul = (x: string | number, y: string | number) => this.of('Mul', x, y);
  div = (x: string | number, y: string | number) => this.of('Div', x, y);
  neg = (x: string) => this.of('Neg', x);
  less = (x: string | number, y: string | number) => this.of('Less', x, y);
  greater = (x: string | number, y: string | number) => this.of('Greater', x, y);

  /** `value` as elements of the type `dtype`. */
  like(value: string, dtype: DType): string {
    return this.b.type(value).dtype === dtype ? value : this.node('Cast', [value], { to: numberOfDType(dtype) });
  }

  /** `value` where `condition` holds, else `other`. */
  choose(condition: string, value: string | number, other: string | number): string {
    return this.of('Where', condition, value, other);
  }

  /** `value` where `condition` holds, else 0. */
  keep(condition: string, value: string): string {
    return this.choose(condition, value, 0);
  }
}

/** Adds up what broadcasting has repeated, so that `value` has the shape `dims` again. */
export function sumTo(b: LowerBuilder, value: string, dims: Dims): string {
  const from = b.type(value).dims;
  if (sameDims(from, dims)) return value;
  const lead = from.length - dims.length;
  const axes = from.flatMap((size, i) => (i < lead || (dims[i - lead] === 1 && size !== 1) ? [i] : []));
  const [sum] = axes.length > 0 ? b.add('ReduceSum', [value, b.constant(int64s(axes))], { keepdims: 1 }) : [value];
  return reshape(b, sum as string, dims);
}

export function reshape(b: LowerBuilder, value: string, dims: Dims): string {
  if (sameDims(b.type(value).dims, dims)) return value;
  // A size of 0 in a shape would stand for that of the input.
  return b.add('Reshape', [value, b.constant(int64s(dims))], { allowzero: 1 })[0] as string;
}

/** `value` with a border of zeros; negative borders crop. */
export function padded(b: LowerBuilder, value: string, before: Dims, after: Dims): string {
  if ([...before, ...after].every((width) => width === 0)) return value;
  return b.add('Pad', [value, b.constant(int64s([...before, ...after]))])[0] as string;
}

export function zeros(b: LowerBuilder, dtype: DType, dims: Dims): string {
  return b.add('Expand', [b.constant(scalar(dtype, 0)), b.constant(int64s(dims))])[0] as string;
}

/** Along `axis`, adds the slices of `value` up at the places that indices name in `size` slices of zeros. */
export function addAt(b: LowerBuilder, value: string, indices: string, axis: number, size: number): string {
  const { dims } = b.type(value);
  const rank = b.type(indices).dims.length;
  const [before, behind] = [dims.slice(0, axis), dims.slice(axis + rank)];
  const count = sizeOf(b.type(indices).dims);
  const lines = reshape(b, value, [sizeOf(before), count, sizeOf(behind)]);
  const sums = b.add('lepton.GatherGradient', [reshape(b, indices, [count]), lines], { size });
  return reshape(b, sums[0] as string, [...before, size, ...behind]);
}

/** What the partial derivatives of an element-wise operator are written with. */
export interface Point<A> {
  readonly f: Formula;
  /** Of the output. */
  readonly gradient: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes: A;
  readonly n: NodeView<A>;
}

/**
 * By input: the output's gradient times the partial derivative. It may have the output's shape: what broadcasting has
 * repeated is summed afterwards.
 */
export type Partials<A> = (p: Point<A>) => readonly (string | undefined)[];

/** The gradient is zero wherever there is one: the function is constant between its jumps. */
export const flat = () => [];

/** The backward rule of an element-wise operator with one output. */
export function pointwiseGrad<A>(partials: Partials<A>): NonNullable<OpDef<never, A>['grad']> {
  return (n, b, [gradient]) => {
    if (gradient === undefined) return [];
    const f = new Formula(b, n.output(0).dtype);
    const [inputs, output] = [n.node.inputs, n.node.outputs[0] as string];
    const found = partials({ f, gradient, inputs, output, attributes: n.attributes, n });
    return found.map((value, i) => (value === undefined ? undefined : sumTo(b, value, n.input(i).dims)));
  };
}
