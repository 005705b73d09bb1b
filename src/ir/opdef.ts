// The contract of an operator: everything Lepton knows about one ONNX operator, in one object.

import type { DType } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import type { AttributeSchema, AttributesOf } from './attributes';
import type { AttributeValue, Graph } from './graph';
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
  /**
   * Why the operator runs on the host, through its reference: it is by nature the host's, as where the sizes
   * of its outputs depend on the data. The run reads its inputs back and goes on with what it computed.
   */
  readonly host?: string;
  /** Equal inputs may give another result at the next run: it is never computed before the run. */
  readonly varies?: boolean;
  /** The operator applies to each element on its own, after broadcasting: generated and fused. */
  readonly pointwise?: PointwiseRule<A>;
  readonly kernels?: readonly Kernel<A>[];
  /** The operator in terms of others: adds nodes, returns the names of its outputs. */
  lower?(n: NodeView<A>, b: LowerBuilder): string[] | undefined;
  /**
   * The operator in terms of others that have backward rules, where it has none itself and `lower` leads to none: a graph that
   * is differentiated through the node has these instead of it.
   */
  decompose?(n: NodeView<A>, b: LowerBuilder): string[];
  /**
   * The backward rule: adds nodes that turn the gradients of the outputs into those of the inputs. What turns out not to be
   * needed is dropped afterwards. An operator without it that has a `lower` is differentiated through that; the gradient
   * of an integer or bool is never asked for.
   * @param gradients of the outputs, each with its output's type; undefined where nothing hangs on that output
   * @returns by input: its gradient, of the input's type; undefined where nothing hangs on that input
   */
  grad?(n: NodeView<A>, b: LowerBuilder, gradients: readonly (string | undefined)[]): (string | undefined)[];
  /**
   * Its integers stand for the numbers that were rounded to them: a gradient, of a float type, passes through them as though
   * nothing had been (the straight-through estimator: https://arxiv.org/abs/1308.3432).
   */
  readonly straightThrough?: boolean;
  /**
   * Output i is input i, which must be a variable, overwritten: the kernels bind the input writable. Such nodes run after
   * all others, and nothing reads their outputs.
   */
  readonly overwrites?: boolean;
}

/** An output of an expanded node: a value, or a sequence (or an empty optional) of values. */
export type Expanded = string | { readonly members: readonly string[] | null };

/**
 * Control flow and sequences: what the node stands for once the constants that it asks for (`n.constant`) are known. It is
 * written out before shapes are inferred, so it has neither an `infer` nor a `reference` of its own.
 */
export interface FlowDef<S extends AttributeSchema = AttributeSchema, A = AttributesOf<S>> {
  readonly name: string;
  readonly attributes: S;
  /** Adds nodes, returns the node's outputs. Inputs that are sequences have no type in `n`. */
  expand(n: NodeView<A>, b: ExpandBuilder): readonly Expanded[];
}

/** Adds nodes without inferring anything of them. */
export interface ExpandBuilder {
  add(op: string, inputs: readonly string[], attributes?: Record<string, AttributeValue>, outputs?: number): string[];
  constant(array: NDArray): string;
  /** What a sequence holds; null for an empty optional, undefined for a tensor. */
  members(name: string): readonly string[] | null | undefined;
  /** Writes a subgraph out; returns the names of its outputs. */
  inline(graph: Graph, inputs: readonly string[]): readonly string[];
}

export interface LowerBuilder {
  /** Adds a node; returns the names of its outputs. Types are inferred at once. */
  add(op: string, inputs: readonly string[], attributes?: Record<string, AttributeValue>, outputs?: number): string[];
  constant(array: NDArray): string;
  type(name: string): TensorType;
}

// biome-ignore lint/suspicious/noExplicitAny: the registry holds operators of every attribute type
export type AnyOp = OpDef<any, any>;
// biome-ignore lint/suspicious/noExplicitAny: as above
export type AnyFlow = FlowDef<any, any>;

export function defineFlow<S extends AttributeSchema>(flow: FlowDef<S>): FlowDef<S> {
  return flow;
}

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
  /** Of the kernels' names: the case is of these; all, unless stated. */
  readonly kernels?: RegExp;
  /** False where the operator has no derivative at these inputs, as at a kink, or is flat or random there. */
  readonly differentiable?: false;
}

export interface CaseInput {
  readonly dtype?: DType; // default float32
  readonly dims: readonly number[];
  /** Elements; else drawn uniformly from `range` (default [-1, 1] for floats, [0, 9] for integers). */
  readonly values?: readonly number[];
  readonly range?: readonly [number, number];
  /** Given to the operator as an initialiser instead of a graph input. */
  readonly constant?: boolean;
  /** Share of the drawn elements that become zero. */
  readonly zeros?: number;
}
