// Rows of sparse entries times a dense matrix without staging, four neighbours a row: each loads one entry of four, and the
// others get it by a broadcast, which costs next to nothing. Needs `enable subgroups;`.
//
// In front: `valueAt(i)` and `columnAt(i)` of entry i, `rowStart(position)` where the entries of the row at a position begin
// and `rowAt(position)` which row that is, `denseQuad(plane, row, quad)` four elements of the dense matrix,
// `store(plane, row, column, v)` of four results.
// Neighbours own neighbouring quads of columns, COLUMN_QUADS each, four quads apart.

struct Params {
  rows: u32, alpha: f32,
  // Columns of the result, quads of a row of the dense matrix, of one of the batch.
  columns: u32, quads: u32, planeQuads: u32,
  columnTiles: u32, tiles: u32,
}

@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 64u;
override COLUMN_QUADS: u32 = 4u; // 1, 2 or 4

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) invocation: u32,
) {
  let number = linear_workgroup(group, count);
  let tile = number % params.tiles;
  let position = number / params.tiles * (LANES / 4u) + local / 4u;
  if (position >= params.rows) { return; }
  let lane = invocation & 3u;
  let plane = tile / params.columnTiles;
  let first = (tile - plane * params.columnTiles) * COLUMN_QUADS * 4u + lane;
  var s0: vec4f; var s1: vec4f; var s2: vec4f; var s3: vec4f;
  let end = rowStart(position + 1u);
  for (var next = rowStart(position); next < end; next += 4u) {
    // The neighbours past the end of the row repeat its last entry, with nothing.
    let i = min(next + lane, end - 1u);
    let value = select(0.0, valueAt(i), next + lane < end);
    let row = columnAt(i);
    let r0 = quadBroadcast(row, 0u);
    let r1 = quadBroadcast(row, 1u);
    let r2 = quadBroadcast(row, 2u);
    let r3 = quadBroadcast(row, 3u);
    let v0 = quadBroadcast(value, 0u);
    let v1 = quadBroadcast(value, 1u);
    let v2 = quadBroadcast(value, 2u);
    let v3 = quadBroadcast(value, 3u);
    s0 += v0 * denseQuad(plane, r0, first) + v1 * denseQuad(plane, r1, first)
      + v2 * denseQuad(plane, r2, first) + v3 * denseQuad(plane, r3, first);
    if (COLUMN_QUADS > 1u) {
      s1 += v0 * denseQuad(plane, r0, first + 4u) + v1 * denseQuad(plane, r1, first + 4u)
        + v2 * denseQuad(plane, r2, first + 4u) + v3 * denseQuad(plane, r3, first + 4u);
    }
    if (COLUMN_QUADS > 2u) {
      s2 += v0 * denseQuad(plane, r0, first + 8u) + v1 * denseQuad(plane, r1, first + 8u)
        + v2 * denseQuad(plane, r2, first + 8u) + v3 * denseQuad(plane, r3, first + 8u);
      s3 += v0 * denseQuad(plane, r0, first + 12u) + v1 * denseQuad(plane, r1, first + 12u)
        + v2 * denseQuad(plane, r2, first + 12u) + v3 * denseQuad(plane, r3, first + 12u);
    }
  }
  let row = rowAt(position);
  store(plane, row, 4u * first, s0);
  if (COLUMN_QUADS > 1u) { store(plane, row, 4u * first + 16u, s1); }
  if (COLUMN_QUADS > 2u) {
    store(plane, row, 4u * first + 32u, s2);
    store(plane, row, 4u * first + 48u, s3);
  }
}
