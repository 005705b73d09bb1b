// What kind the operators declare their attributes to be, for who has only a graph, which does not tell 1 from 1.0.

import type { Node } from '../ir/graph';
import { flowOf, opOf } from './registry';

/**
 * Whether a number or a list of them is float. One that the operator does not declare is what its numbers look like.
 * @throws UNSUPPORTED_MODEL for an operator that Lepton lacks
 */
export function isFloatAttribute(node: Node, attribute: string): boolean {
  const kind = (flowOf(node) ?? opOf(node)).attributes[attribute]?.kind;
  if (kind) return kind === 'float' || kind === 'floats';
  const value = node.attributes[attribute];
  const numbers: readonly unknown[] = Array.isArray(value) ? value : [value];
  return numbers.some((v) => typeof v === 'number' && !Number.isInteger(v));
}
