// Sparse matrix times vector for adapters that are a CPU: one row of a slice of four an invocation, a run of entries at a time.
//
// In front: `table` as ops/sparse/pack.ts has it, a run being 1 << RUN_SHIFT quads; `runAt(at)`, what the products of a run add up
// to; `store(row, v)`, which writes one result. Shifts, since such an adapter divides lane by lane.

struct Params { rows: u32, slices: u32, alpha: f32 }

@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 64u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let position = linear_workgroup(group, count) * LANES + local;
  let slice = position >> 2u;
  if (slice >= params.slices) { return; }
  let end = table[slice + 1u] >> RUN_SHIFT;
  var sum = 0.0;
  for (var at = (table[slice] >> RUN_SHIFT) + (position & 3u); at < end; at += 4u) { sum += runAt(at); }
  store(table[params.slices + 1u + position], sum);
}
