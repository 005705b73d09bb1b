// Sparse matrix times vector, one row of a slice an invocation: for each quad of entries three loads. Follows the bindings of
// ops/sparse/pack.ts.
//
// dense    [length]
// `store(row, v)` (in front) writes one result.

struct Params { rows: u32, slices: u32, alpha: f32 }

@group(0) @binding(3) var<storage, read> dense: array<elem>;
@group(0) @binding(5) var<uniform> params: Params;

override SLICE: u32 = 4u;
override LANES: u32 = 16u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let position = linear_workgroup(group, count) * LANES + local;
  let slice = position / SLICE;
  if (slice >= params.slices) { return; }
  let end = table[slice + 1u];
  var sums = vec4f();
  for (var quad = table[slice] + position % SLICE; quad < end; quad += SLICE) {
    let at = columnsAt(quad);
    sums += valuesAt(quad) * vec4f(elem4(dense[at.x], dense[at.y], dense[at.z], dense[at.w]));
  }
  store(table[params.slices + 1u + position], (sums.x + sums.y) + (sums.z + sums.w));
}
