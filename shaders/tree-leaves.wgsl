// Walks decision trees: for every row and tree the leaf that the row ends at.
//   features  float rows of params.features elements
//   roots     one child a tree; a child is a node, or below zero the leaf -1 - child
//   nodes     six words a node: feature, comparison (+ 8 where a missing feature passes), true child, false
//             child, first member of its set, one behind the last
//   splits    one float a node
//   members   floats of all sets
//   leaves    [rows, trees]
// In front of this text stands `alias elem`. An invocation owns one row and tree.

override workgroup_size: u32 = 64u;

struct Params { rows: u32, trees: u32, features: u32 }

@group(0) @binding(0) var<storage, read> features: array<elem>;
@group(0) @binding(1) var<storage, read> roots: array<i32>;
@group(0) @binding(2) var<storage, read> nodes: array<i32>;
@group(0) @binding(3) var<storage, read> splits: array<f32>;
@group(0) @binding(4) var<storage, read> members: array<f32>;
@group(0) @binding(5) var<storage, read_write> leaves: array<i32>;
@group(0) @binding(6) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let item = id.y * count.x * workgroup_size + id.x;
  if (item >= params.rows * params.trees) { return; }
  let row = item / params.trees;
  var at = roots[item % params.trees];
  while (at >= 0) {
    let node = u32(at) * 6u;
    let value = f32(features[row * params.features + u32(nodes[node])]);
    at = select(nodes[node + 3u], nodes[node + 2u], passes(value, u32(at)));
  }
  leaves[item] = -1 - at;
}

fn passes(value: f32, at: u32) -> bool {
  let mode = nodes[at * 6u + 1u];
  let split = splits[at];
  // By its bits, since WGSL may assume that floats are numbers.
  if ((bitcast<u32>(value) & 0x7fffffffu) > 0x7f800000u) { return mode >= 8 || mode == 5; }
  switch (mode & 7) {
    case 0: { return value <= split; }
    case 1: { return value < split; }
    case 2: { return value >= split; }
    case 3: { return value > split; }
    case 4: { return value == split; }
    case 5: { return value != split; }
    default: {
      for (var i = nodes[at * 6u + 4u]; i < nodes[at * 6u + 5u]; i++) {
        if (members[i] == value) { return true; }
      }
      return false;
    }
  }
}
