// The contract of an operator: everything Lepton knows about one ONNX operator, in one object.

import type { DType } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import type { AttributeSchema, AttributesOf } from './attributes';
import type { AttributeValue } from './graph';
import type { Kernel } from './kernel';
import type { NodeView, TensorType } from './node-view';
import type { PointwiseRule } from './pointwise';

export interface OpDef<S extends AttributeSchema = AttributeSchema, A = AttributesOf<S>> {
  /** ONNX name; outside the default domain with the domain in front. */
  readonly name: string;
  readonly attributes: S;
  /** Types of the outputs. Throws through `n.fail` where the inputs do not fit. */
  infer(n: NodeView<A>): TensorType[];
  /** Plain loops, exact and slow: oracle of the tests, constant folder, and the `cpu` backend. */
  reference(n: NodeView<A>, inputs: readonly (NDArray | undefined)[]): NDArray[];
  /** Output 0 has the bytes of input 0 in another shape: no work at all. */
  readonly view?: boolean;
  /** The result depends on the input's type alone, so it is known as soon as the shapes are. */
  readonly shapeOnly?: boolean;
  /** The operator applies to each element on its own, after broadcasting: generated and fused. */
  readonly pointwise?: PointwiseRule<A>;
  readonly kernels?: readonly Kernel<A>[];
  /** The operator in terms of others: adds nodes, returns the names of its outputs. */
  lower?(n: NodeView<A>, b: LowerBuilder): string[] | undefined;
}

export interface LowerBuilder {
  /** Adds a node; returns the names of its outputs. Types are inferred at once. */
  add(op: string, inputs: readonly string[], attributes?: Record<string, AttributeValue>, outputs?: number): string[];
  constant(array: NDArray): string;
  type(name: string): TensorType;
}

// biome-ignore lint/suspicious/noExplicitAny: the registry holds operators of every attribute type
export type AnyOp = OpDef<any, any>;

export function defineOp<S extends AttributeSchema>(op: OpDef<S>): OpDef<S> {
  return op;
}

/** One test of an operator; its inputs are given, or drawn from a seed. Never part of a bundle. */
export interface OpCase {
  /** What the case shows; with the operator's name it must be unique. */
  readonly name: string;
  readonly inputs: readonly (CaseInput | undefined)[];
  readonly attributes?: Record<string, AttributeValue>;
  /** Number of outputs to ask for; default 1. */
  readonly outputs?: number;
  /** Largest |gpu - reference| / (|reference| + scale of the output) allowed; default 1e-5. */
  readonly tolerance?: number;
}

export interface CaseInput {
  readonly dtype?: DType; // default float32
  readonly dims: readonly number[];
  /** Elements; else drawn uniformly from `range` (default [-1, 1] for floats, [0, 9] for integers). */
  readonly values?: readonly number[];
  readonly range?: readonly [number, number];
  /** Given to the operator as an initialiser instead of a graph input. */
  readonly constant?: boolean;
}
