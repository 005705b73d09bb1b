// Rows of sparse entries times a dense matrix without staging: for adapters where workgroup memory costs as much as storage.
//
// In front: `valueAt(i)` and `columnAt(i)` of entry i, `rowStart(row)` where a row's entries begin, `denseQuad(plane, row, quad)`
// four elements of the dense matrix, `store(plane, row, column, v)` of four results.
// Every invocation owns COLUMN_QUADS quads of one row's results; those of a row follow one another.

struct Params { rows: u32, columns: u32, columnTiles: u32 }

@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 64u;
override COLUMN_QUADS: u32 = 1u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(group, count) * LANES + local;
  let row = id / params.columnTiles;
  if (row >= params.rows) { return; }
  // Quads of one invocation lie a tile apart, so that neighbours read neighbouring words.
  let quad = id % params.columnTiles;
  let apart = params.columnTiles;

  var s0: vec4f; var s1: vec4f; var s2: vec4f; var s3: vec4f;
  let end = rowStart(row + 1u);
  for (var i = rowStart(row); i < end; i++) {
    let value = valueAt(i);
    let column = columnAt(i);
    s0 += value * denseQuad(0u, column, quad);
    if (COLUMN_QUADS > 1u) { s1 += value * denseQuad(0u, column, quad + apart); }
    if (COLUMN_QUADS > 2u) {
      s2 += value * denseQuad(0u, column, quad + 2u * apart);
      s3 += value * denseQuad(0u, column, quad + 3u * apart);
    }
  }
  store(0u, row, 4u * quad, s0);
  if (COLUMN_QUADS > 1u) { store(0u, row, 4u * (quad + apart), s1); }
  if (COLUMN_QUADS > 2u) {
    store(0u, row, 4u * (quad + 2u * apart), s2);
    store(0u, row, 4u * (quad + 3u * apart), s3);
  }
}
