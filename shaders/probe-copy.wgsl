// Copies `count` vectors, to count what an adapter can move; of one vector, to count what a dispatch costs.
// Neighbouring invocations copy neighbouring vectors; each goes on a whole grid further until all are done.

struct Params {
  count: u32,
  grid: u32,
}

@group(0) @binding(0) var<storage, read> source: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> copied: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u) {
  for (var i = id.x; i < params.count; i += params.grid) {
    copied[i] = source[i];
  }
}
