// Packs quantised weights for nbits-row.wgsl and nbits-quad.wgsl, such that one load brings four columns.
//
// source  words [columns, words of a column], a word the neighbours along k: 4 of 8 bits or 8 of 4, the first lowest
// packed  vectors [words of a column, quads of columns]: lane j has k j of the word, a number of each of four columns,
//         the first lowest; of 4 bits with k j + 4 in its upper half. Columns past the last one are 0.
// Every invocation owns one vector.

struct Params { columns: u32, words: u32, quads: u32 }

@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read_write> packed: array<vec4u>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override BITS: u32 = 8u; // 4 or 8

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.words * params.quads) { return; }
  let word = id / params.quads;
  let column = 4u * (id % params.quads);
  let mask = vec4u((1u << BITS) - 1u);
  let shifts = BITS * vec4u(0u, 1u, 2u, 3u);
  var lanes = vec4u();
  for (var i = 0u; i < min(4u, params.columns - column); i++) {
    let own = vec4u(source[(column + i) * params.words + word]);
    lanes |= ((own >> shifts) & mask) << vec4u(BITS * i);
    if (BITS == 4u) { lanes |= ((own >> (shifts + 16u)) & mask) << vec4u(16u + BITS * i); }
  }
  packed[id] = lanes;
}
