// Sparse matrix (CSR) times dense matrix, entries staged through workgroup memory: for GPUs. After the
// one-dimensional tiles of Sputnik (arXiv 2006.10901).
//
// values      [nnz]
// rowOffsets  [rows + 1]: row r has the entries rowOffsets[r] to rowOffsets[r + 1] - 1
// b           [columns, n], read by `bQuad(at)` (in front): four elements from `at` on
// `columnAt(i)` (in front) is the column of entry i, `store(row, column, v)` writes four results.
// A workgroup owns HEIGHT rows by WIDTH * COLUMN_QUADS quads of columns. Its rows' entries lie in one run of
// memory, which it stages CHUNK entries at a time; each row takes from a chunk what is its own.

struct Params { rows: u32, n: u32, rowTiles: u32, columnTiles: u32 }

@group(0) @binding(0) var<storage, read> values: array<elem>;
@group(0) @binding(2) var<storage, read> rowOffsets: array<i32>;
@group(0) @binding(5) var<uniform> params: Params;

override WIDTH: u32 = 16u;
override HEIGHT: u32 = 4u;
override COLUMN_QUADS: u32 = 1u;
override CHUNK: u32 = 64u;

/** The bits of an entry's value, and where its row of B starts. */
var<workgroup> entries: array<vec2u, CHUNK>;

@compute @workgroup_size(WIDTH, HEIGHT)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.rowTiles * params.columnTiles) { return; }
  let firstRow = number / params.columnTiles * HEIGHT;
  let row = firstRow + id.y;
  let column = 4u * (number % params.columnTiles * WIDTH * COLUMN_QUADS + id.x);
  let first = u32(rowOffsets[firstRow]);
  let last = u32(rowOffsets[min(firstRow + HEIGHT, params.rows)]);
  let begin = u32(rowOffsets[min(row, params.rows)]);
  let end = u32(rowOffsets[min(row + 1u, params.rows)]);

  var s0: vec4f;
  var s1: vec4f;
  for (var chunk = first; chunk < last; chunk += CHUNK) {
    for (var i = local; i < CHUNK; i += WIDTH * HEIGHT) {
      if (chunk + i < last) {
        entries[i] = vec2u(bitcast<u32>(f32(values[chunk + i])), columnAt(chunk + i) * params.n);
      }
    }
    workgroupBarrier();
    let mine = min(end, chunk + CHUNK);
    for (var i = max(begin, chunk); i < mine; i++) {
      let entry = entries[i - chunk];
      let value = bitcast<f32>(entry.x);
      s0 += value * bQuad(entry.y + column);
      if (COLUMN_QUADS > 1u) { s1 += value * bQuad(entry.y + column + 4u * WIDTH); }
    }
    workgroupBarrier();
  }
  store(row, column, s0);
  if (COLUMN_QUADS > 1u) { store(row, column + 4u * WIDTH, s1); }
}
