// Packs an operand of a matrix product for matmul-quad.wgsl and matmul-row.wgsl, once at load where it is constant.
//
// source  [batch, lines, width] in any orientation: element (line, x) of a matrix lies at line * lineStep + x * step
// packed  quads along the width, zero past the edges: [batch, lines, quads], or where BLOCKS
//         [batch, line quads, quads, 4], so that the four lines of a 4×4 block are next to each other
// Every invocation owns one quad of `packed`.

struct Params { lines: u32, width: u32, lineStep: u32, step: u32, total: u32 }

@group(0) @binding(0) var<storage, read> source: array<elem>;
@group(0) @binding(1) var<storage, read_write> packed: array<elem4>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override BLOCKS: bool = false;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.total) { return; }
  let quads = (params.width + 3u) / 4u;
  var x = 4u * (id % quads);
  var rest = id / quads;
  var lines = params.lines;
  if (BLOCKS) {
    x = 4u * (id / 4u % quads);
    rest = id / (4u * quads) * 4u + id % 4u;
    lines = (params.lines + 3u) / 4u * 4u;
  }
  let line = rest % lines;
  var quad = elem4();
  if (line < params.lines) {
    let start = rest / lines * params.lines * params.width + line * params.lineStep + x * params.step;
    for (var lane = 0u; lane < min(4u, params.width - x); lane++) { quad[lane] = source[start + lane * params.step]; }
  }
  packed[id] = quad;
}
