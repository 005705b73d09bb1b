// Sparse matrix of blocks of 1×4 times a dense matrix, group of rows by group: a quad of lines of the dense matrix is loaded
// once for all rows of the group that have a block there. Their sums wait in private memory. Needs `enable subgroups;`.
//
// `blockAt(i)`, places (in front), ranges  see sparse-block-groups-pack.wgsl
// dense   [batch, length, denseQuads] quads of columns
// `store(plane, row, column, v)` (in front) writes four columns of a row, GROUP (in front) is the most rows of a group.
// A workgroup owns a group of rows by LANES quads of columns. Four neighbours load a block each, and share them.

struct Params {
  // Rows, those of a group, columns of the result, and lines of the dense matrix.
  rows: u32, groupRows: u32, columns: u32, length: u32, alpha: f32,
  // Of a line, and of a whole plane of the dense matrix.
  denseQuads: u32, planeQuads: u32,
  lineQuads: u32, columnTiles: u32, tiles: u32, workgroups: u32,
}

@group(0) @binding(2) var<storage, read> ranges: array<vec2u>;
@group(0) @binding(3) var<storage, read> dense: array<elem4>;
@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 16u;

var<private> sums: array<vec4f, GROUP>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) invocation: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let lane = invocation & 3u;
  let rows = number / params.tiles;
  let tile = number - rows * params.tiles;
  let plane = tile / params.columnTiles;
  let quad = (tile - plane * params.columnTiles) * LANES + local;
  let step = params.denseQuads;
  let start = plane * params.planeQuads + min(quad, step - 1u);
  let last = params.length - 1u;

  for (var i = 0u; i < params.lineQuads; i++) {
    let range = ranges[rows * params.lineQuads + i];
    // Past the last line the values are zero.
    let line = 4u * i;
    let block = mat4x4f(
      vec4f(dense[start + line * step]), vec4f(dense[start + min(line + 1u, last) * step]),
      vec4f(dense[start + min(line + 2u, last) * step]), vec4f(dense[start + min(line + 3u, last) * step]));
    for (var turn = range.x; turn < range.y; turn++) {
      let own = blockAt(4u * turn + lane);
      let four = places[turn];
      sums[four & 0xffu] += block * quadBroadcast(own, 0u);
      sums[(four >> 8u) & 0xffu] += block * quadBroadcast(own, 1u);
      sums[(four >> 16u) & 0xffu] += block * quadBroadcast(own, 2u);
      sums[four >> 24u] += block * quadBroadcast(own, 3u);
    }
  }

  for (var i = 0u; i < params.groupRows; i++) { store(plane, rows * params.groupRows + i, 4u * quad, sums[i]); }
}
