// Puts the elements of a sparse tensor in their places.
//   values   [count]
//   indices  [count, RANK] places along each axis; or [count] in the order of memory, RANK 1
//   result   the dense tensor, all zeros
// Every invocation owns one element. `elem`, RANK and STEPS (elements from one index to the next, by axis) come in front.

override workgroup_size: u32 = 64u;

struct Params { count: u32 }

@group(0) @binding(0) var<storage, read> values: array<elem>;
@group(0) @binding(1) var<storage, read> indices: array<i32>;
@group(0) @binding(2) var<storage, read_write> result: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let i = id.y * count.x * workgroup_size + id.x;
  if (i >= params.count) { return; }
  var at = 0u;
  for (var axis = 0u; axis < RANK; axis++) { at += u32(indices[i * RANK + axis]) * STEPS[axis]; }
  result[at] = values[i];
}
