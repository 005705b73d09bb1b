// What an operator sees of one node: typed attributes, concrete input types, constants. Shapes are
// concrete here: symbolic dimensions are bound before any operator is asked anything.

import type { DType } from '../base/dtype';
import { LeptonError, type LeptonErrorCode } from '../base/errors';
import type { NDArray } from '../base/ndarray';
import { type Dims, formatDims } from '../base/shape';
import type { Node, Program } from './graph';
import type { Pattern } from './pattern';
import type { ResolvedStep } from './pointwise';

export interface TensorType {
  readonly dtype: DType;
  readonly dims: Dims;
}

export interface NodeInput extends TensorType {
  /** Known before the first run: an initialiser, or computed from initialisers alone. */
  readonly isConstant: boolean;
  /** The constant's elements, where small enough to be held on the host. */
  readonly array?: NDArray;
  /** Of a constant that is mostly zeros. */
  readonly pattern?: Pattern;
}

/**
 * A node needs the elements of an input that are not known yet. Planning answers by getting them: from what
 * is fed, by computing them on the host, or by a stage of the run that ends with reading them back.
 */
export class ValueNeeded extends LeptonError {
  readonly value: string;

  constructor(node: Node, input: number) {
    const value = node.inputs[input] as string;
    super(
      'UNSUPPORTED_MODEL',
      `${node.op} node "${node.name}" needs its input ${input} ("${value}") to be known before the run.`,
      { details: { node: node.name, op: node.op, value } },
    );
    this.value = value;
  }
}

export class NodeView<A = unknown> {
  readonly node: Node;
  readonly attributes: A;
  readonly inputs: readonly (NodeInput | undefined)[];
  /** Types of the outputs; empty while they are being inferred. */
  readonly outputs: readonly TensorType[];
  /** Types of the program's operands, where the node has a fused program. */
  readonly operands: readonly TensorType[];
  /** The program's operators, step by step. */
  readonly steps: readonly ResolvedStep[];

  constructor(
    node: Node,
    attributes: A,
    inputs: readonly (NodeInput | undefined)[],
    outputs: readonly TensorType[] = [],
    operands: readonly TensorType[] = [],
    steps: readonly ResolvedStep[] = [],
  ) {
    this.node = node;
    this.attributes = attributes;
    this.inputs = inputs;
    this.outputs = outputs;
    this.operands = operands;
    this.steps = steps;
  }

  get program(): Program | undefined {
    return this.node.program;
  }

  /** Input `i`, which the operator requires. */
  input(i: number): NodeInput {
    return this.inputs[i] ?? this.fail(`lacks its input ${i}`);
  }

  output(i: number): TensorType {
    return this.outputs[i] ?? this.fail(`has no output ${i}`);
  }

  has(i: number): boolean {
    return this.inputs[i] !== undefined;
  }

  /** The number of outputs the node names; trailing and empty ones left out. */
  wants(i: number): boolean {
    return (this.node.outputs[i] ?? '') !== '';
  }

  /** The elements of an optional input that planning must know; undefined where the input is absent. */
  constant(i: number): NDArray | undefined {
    const input = this.inputs[i];
    if (!input) return undefined;
    if (!input.array) throw new ValueNeeded(this.node, i);
    return input.array;
  }

  /** The elements of `constant(i)` as numbers. */
  numbers(i: number): number[] | undefined {
    const array = this.constant(i);
    return array && Array.from(array.data);
  }

  fail(problem: string, code: LeptonErrorCode = 'INVALID_MODEL'): never {
    const { node } = this;
    const shapes = this.inputs.map((t) => (t ? `${t.dtype}${formatDims(t.dims)}` : 'absent')).join(', ');
    throw new LeptonError(code, `${node.op} node "${node.name}" ${problem}. Inputs: ${shapes || 'none'}.`, {
      details: { node: node.name, op: node.op, inputs: [...node.inputs] },
    });
  }
}
