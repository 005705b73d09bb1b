// Tensor attributes as numbers. Those of more than a few KiB are not kept at hand when a model is read.

import { formatDims } from '../../base/shape';
import type { TensorAttribute } from '../../ir/attributes';
import type { NodeView } from '../../ir/node-view';

/** The elements of the attribute `name`. Throws UNSUPPORTED_MODEL where it is too large. */
export function elementsOf(n: NodeView, name: string, { constant, dims }: TensorAttribute): number[] {
  if (constant.kind === 'inline') return Array.from(constant.array.data);
  return n.fail(`has ${formatDims(dims)} elements in "${name}", more than are kept at hand`, 'UNSUPPORTED_MODEL');
}
