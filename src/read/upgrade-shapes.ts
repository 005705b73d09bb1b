// Upgrades that need a shape. Where the file does not declare it, small nodes compute it (Shape and what
// follows); the constant folder removes them as soon as the inputs' sizes are bound.

import { int64s } from '../base/ndarray';
import { wrapAxis } from '../base/shape';
import type { Node } from '../ir/graph';
import type { UpgradeContext } from './upgrade-step';

/**
 * Before opset 13, Softmax and its kin saw a matrix: all dimensions before `axis` (default 1) as rows, the
 * others as columns. Now they work along one axis, which is the same where the others of the columns are 1.
 */
export function flattenAround(node: Node, c: UpgradeContext): Node {
  const axis = typeof node.attributes.axis === 'number' ? node.attributes.axis : 1;
  const x = node.inputs[0] ?? '';
  const dims = c.value(x)?.dims;
  const at = dims && wrapAxis(axis, dims.length);
  if (axis === -1 || (at !== undefined && dims?.slice(at + 1).every((d) => d === 1))) {
    return { ...node, attributes: { ...node.attributes, axis } };
  }
  const flat = c.add('Flatten', [x], { axis });
  const result = c.add(node.op, [flat], { ...node.attributes, axis: -1 });
  return { ...node, op: 'Reshape', inputs: [result, c.add('Shape', [x])], attributes: {} };
}

/**
 * Before opset 7, the second operand of Add and its kin was broadcast only if told to, and with `axis` its
 * first dimension met that axis of the first. Now it needs trailing dimensions of 1 for that.
 */
export function alignOperand(node: Node, c: UpgradeContext): Node {
  const { broadcast: _, axis, ...attributes } = node.attributes;
  const [a = '', b = ''] = node.inputs;
  const bDims = c.value(b)?.dims;
  if (typeof axis !== 'number' || bDims?.every((d) => d === 1)) return { ...node, attributes };
  const aRank = c.value(a)?.dims?.length;
  const from = aRank === undefined ? axis : (wrapAxis(axis, aRank) ?? c.malformed(`has the axis ${axis} out of range`));
  let shape: string;
  if (aRank !== undefined && bDims?.every((d) => typeof d === 'number')) {
    const trailing = aRank - from - bDims.length;
    if (trailing === 0) return { ...node, attributes };
    if (trailing < 0) c.malformed(`has a second operand that reaches past the first from axis ${axis} on`);
    shape = c.constant(int64s([...bDims, ...new Array<number>(trailing).fill(1)]));
  } else {
    const rank = (name: string) => c.add('Shape', [c.add('Shape', [name])]);
    const shapeB = c.add('Shape', [b]);
    // A negative axis counts from the end, as the trailing dimensions do.
    const end = from < 0 ? c.constant(int64s([-from])) : c.add('Sub', [rank(a), c.constant(int64s([from]))]);
    const ones = c.add('Expand', [c.constant(int64s([1])), c.add('Sub', [end, c.add('Shape', [shapeB])])]);
    shape = c.add('Concat', [shapeB, ones], { axis: 0 });
  }
  return { ...node, inputs: [a, c.add('Reshape', [b, shape]), ...node.inputs.slice(2)], attributes };
}

/** Before opset 21, GroupNormalization had one scale and bias for a group; now it has one for a channel. */
export function perChannel(node: Node, c: UpgradeContext): Node {
  const groups = node.attributes.num_groups;
  if (typeof groups !== 'number' || groups < 1) return c.malformed('lacks the attribute "num_groups"');
  const [x = '', scale = '', bias = ''] = node.inputs;
  const channels = c.add('Shape', [x], { start: 1, end: 2 });
  const groupCount = c.constant(int64s([groups]));
  const full = c.add('Concat', [groupCount, c.add('Div', [channels, groupCount])], { axis: 0 });
  const column = c.constant(int64s([groups, 1]));
  const flat = c.constant(int64s([-1]));
  const spread = (name: string) => c.add('Reshape', [c.add('Expand', [c.add('Reshape', [name, column]), full]), flat]);
  return { ...node, inputs: [x, spread(scale), spread(bias)] };
}
