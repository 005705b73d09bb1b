// The entry point of sparse-block-vector.wgsl where a quad of rows has several invocations.

override SUMS: u32 = 64u; // LANES * HEIGHT

var<workgroup> sums: array<vec4f, SUMS>;

@compute @workgroup_size(SUMS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let lane = local % LANES;
  let place = linear_workgroup(group, count) * HEIGHT + local / LANES;
  let rows = table[min(place, params.quads - 1u)];
  sums[local] = quadOf(rows, lane);
  for (var apart = LANES / 2u; apart > 0u; apart /= 2u) {
    workgroupBarrier();
    if (lane < apart) { sums[local] += sums[local + apart]; }
  }
  if (lane != 0u || place >= params.quads) { return; }
  for (var i = 0u; i < 4u; i++) { store(4u * rows + i, sums[local][i]); }
}
