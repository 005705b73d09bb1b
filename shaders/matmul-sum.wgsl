// Second pass of a split matrix product: adds the splits' partial results in their order, so that every
// run gives the same bits.
//
// partial  f32 [batch, splits, m, quads of n], four columns each
// Every invocation owns four columns of one row; `store(plane, row, column, v)` (in front) writes them.

struct Params { m: u32, n: u32, splits: u32, batch: u32, alpha: f32 }

@group(0) @binding(0) var<storage, read> partial: array<vec4f>;
@group(0) @binding(3) var<uniform> params: Params;

override LANES: u32 = 64u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let quads = (params.n + 3u) / 4u;
  let plane = params.m * quads;
  let id = linear_workgroup(group, count) * LANES + local;
  let batch = id / plane;
  if (batch >= params.batch) { return; }
  var at = batch * params.splits * plane + id % plane;
  var sum = partial[at];
  for (var s = 1u; s < params.splits; s++) {
    at += plane;
    sum += partial[at];
  }
  store(batch, id % plane / quads, 4u * (id % quads), sum);
}
