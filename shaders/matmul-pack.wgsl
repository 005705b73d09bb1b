// Packs an operand of a matrix product for matmul-quad.wgsl and matmul-row.wgsl, once at load where it is constant.
//
// source  [batch, lines, width] in any orientation: element (line, x) of a matrix lies at line * lineStep + x * step
// packed  quads along the width, zero past the edges: [batch, lines, quads], or where BLOCKS
//         [batch, line quads, quads, 4], so that the four lines of a 4×4 block are next to each other
// A workgroup of WIDTH × HEIGHT invocations owns WIDTH quads of HEIGHT * EACH lines; an invocation takes every HEIGHT-th
// of them, since finding its place takes a software adapter longer than a quad.

struct Params {
  lines: u32, width: u32, lineStep: u32, step: u32,
  // Lines and quads of a packed matrix, and the tiles that they take.
  packedLines: u32, quads: u32, lineTiles: u32, quadTiles: u32,
  workgroups: u32,
}

@group(0) @binding(0) var<storage, read> source: array<elem>;
@group(0) @binding(1) var<storage, read_write> packed: array<elem4>;
@group(0) @binding(2) var<uniform> params: Params;

override WIDTH: u32 = 16u;
override HEIGHT: u32 = 4u;
override EACH: u32 = 8u;
override BLOCKS: bool = false;

@compute @workgroup_size(WIDTH, HEIGHT)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let tile = number / params.quadTiles;
  let quad = (number - tile * params.quadTiles) * WIDTH + local.x;
  if (quad >= params.quads) { return; }
  let batch = tile / params.lineTiles;
  let first = (tile - batch * params.lineTiles) * HEIGHT * EACH + local.y;
  let start = batch * params.lines * params.width + 4u * quad * params.step;
  let inside = vec4u(0u, 1u, 2u, 3u) < vec4u(params.width - 4u * quad);
  let to = batch * params.packedLines * params.quads;
  for (var line = first; line < min(first + HEIGHT * EACH, params.packedLines); line += HEIGHT) {
    var four = elem4();
    if (line < params.lines) {
      let at = start + line * params.lineStep;
      four = elem4(
        source[at], source[at + params.step], source[at + 2u * params.step], source[at + 3u * params.step]);
    }
    var place = line * params.quads + quad;
    if (BLOCKS) { place = ((line >> 2u) * params.quads + quad) * 4u + (line & 3u); }
    packed[to + place] = select(elem4(), four, inside);
  }
}
