// The entry point of sparse-block-vector.wgsl where a quad of rows has one invocation.

@compute @workgroup_size(HEIGHT)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let place = linear_workgroup(group, count) * HEIGHT + local;
  if (place >= params.quads) { return; }
  let rows = table[place];
  let sums = quadOf(rows, 0u);
  for (var i = 0u; i < 4u; i++) { store(4u * rows + i, sums[i]); }
}
