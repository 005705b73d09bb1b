// The rows' sums of spmv-merge.wgsl: the last part of a row, and the sums of the invocations that stopped within it, in their
// order.
//
// sums     [rows], by position
// carries  [invocations], their positions ascending: position, bits of the sum
// In front: `rowAt(position)`, the row at a position; `store(row, v)` of one result.

struct Params { rows: u32, alpha: f32, invocations: u32 }

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read> carries: array<vec2u>;
@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 64u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let position = linear_workgroup(group, count) * LANES + local;
  if (position >= params.rows) { return; }
  var at = 0u;
  var most = params.invocations;
  while (at < most) {
    let middle = (at + most) / 2u;
    if (carries[middle].x < position) { at = middle + 1u; } else { most = middle; }
  }
  var sum = 0f;
  for (; at < params.invocations && carries[at].x == position; at++) { sum += bitcast<f32>(carries[at].y); }
  store(rowAt(position), sum + sums[position]);
}
