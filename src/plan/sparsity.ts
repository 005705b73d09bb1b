// What a profile tells of nodes whose weights are mostly zeros: how many are, and against what the kernel was chosen.

import type { Sparsity } from '../base/tuning';
import type { NodeView } from '../ir/node-view';
import type { Pattern } from '../ir/pattern';
import { type Candidate, isSparse, textOf } from './choose';

/** @param found all candidates of the node, cheapest estimate first; undefined where no weights are mostly zeros */
export function sparsityOf(n: NodeView, chosen: Candidate, found: readonly Candidate[]): Sparsity | undefined {
  const pattern = n.inputs.find((input) => input?.pattern)?.pattern;
  return pattern && { zeros: zerosOf(pattern), ...rivalOf(chosen, found) };
}

const zerosOf = ({ rows, columns, nonZeros }: Pattern) => 1 - nonZeros / (rows * columns);

function rivalOf(chosen: Candidate, found: readonly Candidate[]): Pick<Sparsity, 'rival'> {
  const { measured, rival } = chosen;
  if (measured !== undefined) {
    return rival ? { rival: { kernel: rival.kernel, timesSlower: rival.time / measured } } : {};
  }
  const other = found.find((c) => isSparse(c) !== isSparse(chosen));
  return other ? { rival: { kernel: textOf(other), timesSlower: other.seconds / chosen.seconds } } : {};
}
