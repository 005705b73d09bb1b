// Packs scales or zero points for nbits-row.wgsl and nbits-quad.wgsl: those of four columns lie together, blocks apart.
//
// In front or behind: `valueOf(column, block) -> f32` reads one, `joined(vec4f) -> Four` makes what is stored of four.
// packed  [blocks, quads of columns]; columns past the last one are 0. Every invocation owns one element of it.

struct Params { columns: u32, blocks: u32, quads: u32 }

@group(0) @binding(1) var<storage, read_write> packed: array<Four>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.blocks * params.quads) { return; }
  let column = 4u * (id % params.quads);
  var four = vec4f();
  for (var i = 0u; i < min(4u, params.columns - column); i++) {
    four[i] = valueOf(column + i, id / params.quads);
  }
  packed[id] = joined(four);
}
