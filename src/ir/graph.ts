// The graph: immutable data in ONNX's vocabulary at one opset. Values have names; a node reads and
// writes values by name. Invariants (see check.ts): nodes are in topological order, every value is
// written once, and every value that a node mentions is in `values` ('' stands for an absent input).

import type { DType } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import type { Pattern } from './pattern';

/** A concrete size, or the name of a size that the first run decides. */
export type Dim = number | string;

/** Packed little-endian bytes in one of the model's files; '' is the model file itself. */
export interface StoredBytes {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  /** Element type at rest, where the graph has since given the value another. */
  readonly dtype?: DType;
}

/** A constant small enough to think about, or a reference to bytes that only ever travel to the GPU. */
export type Constant =
  | { readonly kind: 'inline'; readonly array: NDArray }
  | { readonly kind: 'stored'; readonly bytes: StoredBytes };

export interface Value {
  readonly name: string;
  readonly dtype: DType;
  /** Absent where the rank itself is unknown before the first run. */
  readonly dims?: readonly Dim[];
  readonly constant?: Constant;
  /** Of a sequence the tensors it holds, by name; null for an optional that holds none. Only planning knows these. */
  readonly members?: readonly string[] | null;
  /** Where a value known at load is not zero, if most of it is; of indices, where they place what is not. */
  readonly pattern?: Pattern;
}

export type AttributeValue =
  | number
  | string
  | readonly number[]
  | readonly string[]
  | { readonly tensor: { readonly dtype: DType; readonly dims: readonly number[]; readonly constant: Constant } }
  | { readonly graph: Graph };
export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface Node {
  readonly name: string;
  /** ONNX operator name; outside the default domain with the domain in front: 'lepton.Pointwise'. */
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
  /** Pointwise work done on the node's result before it is stored. Only fusion passes add it. */
  readonly program?: Program;
}

export interface Graph {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly values: ReadonlyMap<string, Value>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * A straight-line pointwise computation; the last step is the result. `accumulator` stands for the
 * value that the node's own kernel has computed, `operand` for one of `operands`, broadcast to it.
 */
export interface Program {
  readonly operands: readonly string[];
  readonly steps: readonly ProgramStep[];
}

export interface ProgramStep {
  readonly op: string;
  readonly attributes: Attributes;
  readonly args: readonly ProgramArg[];
  readonly dtype: DType;
}

export type ProgramArg =
  | { readonly from: 'accumulator' }
  | { readonly from: 'operand'; readonly index: number }
  | { readonly from: 'step'; readonly index: number }
  | { readonly from: 'literal'; readonly value: number; readonly dtype: DType }
  | { readonly from: 'absent' };

/** Every value the node reads, its program's operands included, absent inputs left out. */
export function valuesRead(node: Node): string[] {
  const own = node.inputs.filter((name) => name !== '');
  return node.program ? [...own, ...node.program.operands] : own;
}
