// Packs the columns of a matrix of bytes for products by dot4I8Packed.
//
// source  elements [k, columns], read by `element(at) -> u32` (in front): a signed byte
// packed  words [columns, chunks, 4], four k a word, the first in the low byte; 0 past k
// Every invocation owns one word.

struct Params { k: u32, columns: u32, words: u32 }

@group(0) @binding(1) var<storage, read_write> packed: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  // Words of a column; neighbours own neighbouring columns, which lie side by side.
  if (id >= params.words * params.columns) { return; }
  let column = id % params.columns;
  let at = id / params.columns;
  var word = 0u;
  for (var lane = 0u; lane < 4u; lane++) {
    let k = 4u * at + lane;
    if (k < params.k) { word |= element(k * params.columns + column) << (8u * lane); }
  }
  packed[column * params.words + at] = word;
}
