// Small shared answers to "how many workgroups": kernels number their invocations or workgroups along
// one line, which is folded into x and y because a dimension holds at most 65,535 workgroups.

import { ceilDiv } from '../../base/shape';

/** Of a dispatch, along one dimension: what WebGPU guarantees. */
export const mostWorkgroups = 65_535;

/** Folds `count` workgroups into two dimensions; some past the end may start and must return at once. */
export function foldWorkgroups(count: number): [number, number, number] {
  if (count <= mostWorkgroups) return [Math.max(1, count), 1, 1];
  const y = ceilDiv(count, mostWorkgroups);
  return [ceilDiv(count, y), y, 1];
}

/** Workgroups for one invocation an item. In WGSL the item's number is `linear_id(...)` of this text. */
export function oneEach(items: number, workgroupSize: number): [number, number, number] {
  return foldWorkgroups(ceilDiv(items, workgroupSize));
}

/** `linear_workgroup(id, count)`: the number of a workgroup along the folded line. */
export const linearHelpers = /* wgsl */ `
fn linear_workgroup(id: vec3u, count: vec3u) -> u32 {
  return id.y * count.x + id.x;
}
`;
