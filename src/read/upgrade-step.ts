// The contract between the upgrader and its rules: a rule rewrites one node, and may make constants and
// helper nodes through the context.

import type { NDArray } from '../base/ndarray';
import type { Attributes, Node, Value } from '../ir/graph';

/** A step for nodes of opsets below `below`; a node takes all steps that apply, in the table's order. */
export interface Upgrade {
  readonly below: number;
  /** The node's name after the step, where it changes. */
  readonly renamed?: string;
  /** The node as the opset `below` writes it; helper nodes go into the context first. */
  rewrite(node: Node, context: UpgradeContext): Node;
}

export interface UpgradeContext {
  readonly opset: number;
  value(name: string): Value | undefined;
  /** Makes a constant; returns its name. */
  constant(array: NDArray): string;
  /** Adds a node with one output before the one being rewritten; returns the output's name. */
  add(op: string, inputs: readonly string[], attributes?: Attributes): string;
  malformed(problem: string): never;
  unsupported(problem: string): never;
}
