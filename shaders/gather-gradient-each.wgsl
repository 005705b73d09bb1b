// What the slices that a Gather has copied pass back to where they came from: sums without atomics, in the order of the
// indices. An invocation owns one unit of the result and goes through all indices: for few of them.
//   indices   `count` a set; a set for each of `outer`, or one for all
//   gradient  [outer, count, inner] units
//   result    [outer, size, inner] units
// In front of this text stand `alias unit` (what is stored) and `alias total` (what is summed).

override workgroup_size: u32 = 64u;

// index_step: from one set of indices to the next, 0 where there is one.
struct Params { items: u32, size: u32, inner: u32, count: u32, index_step: u32 }

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> gradient: array<unit>;
@group(0) @binding(2) var<storage, read_write> result: array<unit>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let item = id.y * groups.x * workgroup_size + id.x;
  if (item >= params.items) { return; }
  let column = item % params.inner;
  let row = (item / params.inner) % params.size;
  let outer = item / params.inner / params.size;
  let size = i32(params.size);
  var sum = total();
  for (var n = 0u; n < params.count; n++) {
    let picked = indices[outer * params.index_step + n];
    let place = clamp(select(picked, picked + size, picked < 0), 0, size - 1);
    if (u32(place) == row) { sum += total(gradient[(outer * params.count + n) * params.inner + column]); }
  }
  result[item] = unit(sum);
}
