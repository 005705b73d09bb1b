// Quantised weights as floats, for a product of dense matrices. Stands behind the text of nbits/text.ts, which declares
// weights, scales and zero points, and `weightsOf` and `scaleOf` as in nbits-direct.wgsl.
//
// dense  [n, k]. Every invocation owns a chunk of sixteen k of one column.

@group(0) @binding(0) var<storage, read_write> dense: array<elem>;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  let column = id / params.chunks;
  let chunk = id % params.chunks;
  if (column >= params.n) { return; }
  var own = weightsOf(column, chunk);
  let scale = scaleOf(column, chunk);
  let first = 16u * chunk;
  for (var i = 0u; i < min(16u, params.k - first); i++) {
    dense[column * params.k + first + i] = elem(scale * own[i / 4u][i % 4u]);
  }
}
