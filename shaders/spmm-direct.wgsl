// Sparse matrix (CSR) times dense matrix without staging: for adapters where workgroup memory costs as
// much as storage.
//
// values      [nnz]
// rowOffsets  [rows + 1]: row r has the entries rowOffsets[r] to rowOffsets[r + 1] - 1
// b           [columns, n], read by `bQuad(at)` (in front): four elements from `at` on
// `columnAt(i)` (in front) is the column of entry i, `store(row, column, v)` writes four results.
// Every invocation owns COLUMN_QUADS quads of one row's results; those of a row follow one another.

struct Params { rows: u32, n: u32, columnTiles: u32 }

@group(0) @binding(0) var<storage, read> values: array<elem>;
@group(0) @binding(2) var<storage, read> rowOffsets: array<i32>;
@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 64u;
override COLUMN_QUADS: u32 = 1u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(group, count) * LANES + local;
  let row = id / params.columnTiles;
  if (row >= params.rows) { return; }
  // Quads of one invocation lie a tile apart, so that neighbours read neighbouring words.
  let column = 4u * (id % params.columnTiles);
  let apart = 4u * params.columnTiles;

  var s0: vec4f; var s1: vec4f; var s2: vec4f; var s3: vec4f;
  let end = u32(rowOffsets[row + 1u]);
  for (var i = u32(rowOffsets[row]); i < end; i++) {
    let value = f32(values[i]);
    let at = columnAt(i) * params.n + column;
    s0 += value * bQuad(at);
    if (COLUMN_QUADS > 1u) { s1 += value * bQuad(at + apart); }
    if (COLUMN_QUADS > 2u) {
      s2 += value * bQuad(at + 2u * apart);
      s3 += value * bQuad(at + 3u * apart);
    }
  }
  store(row, column, s0);
  if (COLUMN_QUADS > 1u) { store(row, column + apart, s1); }
  if (COLUMN_QUADS > 2u) {
    store(row, column + 2u * apart, s2);
    store(row, column + 3u * apart, s3);
  }
}
