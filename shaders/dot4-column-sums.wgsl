// The sum of each packed column, less its zero point k times: what the zero point of a row is multiplied by. Stands behind
// text that declares `wZeroAt(i) -> i32`, the zero points of columns, of which there are `zeros`.
// Every invocation owns one column.

struct Params { k: u32, columns: u32, words: u32, zeros: u32 }

@group(0) @binding(1) var<storage, read> packed: array<u32>;
@group(0) @binding(2) var<storage, read_write> columnSums: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.columns) { return; }
  var sum = 0;
  for (var i = 0u; i < params.words; i++) { sum += dot4I8Packed(packed[id * params.words + i], 0x01010101u); }
  columnSums[id] = sum - i32(params.k) * wZeroAt(id % params.zeros);
}
