// Joins what the leaves that each row ended at contribute to each target.
//   leaves   [rows, trees]: a leaf's number
//   ranges   two words a leaf: its first contribution, one behind its last
//   targets  one a contribution
//   weights  one a contribution
//   result   [rows, targets]; 0 where nothing contributes
// In front of this text stands `fn combine(a: f32, b: f32) -> f32`. An invocation owns one row and target.

override workgroup_size: u32 = 64u;

// Sums are multiplied by `scale` at the end.
struct Params { rows: u32, trees: u32, targets: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> leaves: array<i32>;
@group(0) @binding(1) var<storage, read> ranges: array<i32>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let item = id.y * count.x * workgroup_size + id.x;
  if (item >= params.rows * params.targets) { return; }
  let row = item / params.targets;
  let target_index = i32(item % params.targets);
  var total = 0f;
  var found = false;
  for (var tree = 0u; tree < params.trees; tree++) {
    let leaf = u32(leaves[row * params.trees + tree]);
    for (var i = ranges[2u * leaf]; i < ranges[2u * leaf + 1u]; i++) {
      if (targets[i] == target_index) {
        total = select(weights[i], combine(total, weights[i]), found);
        found = true;
      }
    }
  }
  result[item] = total * params.scale;
}
