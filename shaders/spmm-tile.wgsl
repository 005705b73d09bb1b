// Rows of sparse entries times a dense matrix, entries staged through workgroup memory: for GPUs. After the one-dimensional
// tiles of Sputnik (arXiv 2006.10901).
//
// In front: `valueAt(i)` and `columnAt(i)` of entry i, `rowStart(position)` where the entries of the row at a position begin
// and `rowAt(position)` which row that is, `denseQuad(plane, row, quad)` four elements of the dense matrix,
// `store(plane, row, column, v)` of four results.
// A workgroup owns the rows at HEIGHT positions by WIDTH * COLUMN_QUADS quads of columns. Its rows' entries lie in one run of
// memory, which it stages CHUNK entries at a time; each row takes from a chunk what is its own.

struct Params {
  rows: u32, alpha: f32,
  // Columns of the result, quads of a row of the dense matrix, of one of the batch.
  columns: u32, quads: u32, planeQuads: u32,
  rowTiles: u32, columnTiles: u32, tiles: u32,
}

@group(0) @binding(5) var<uniform> params: Params;

override WIDTH: u32 = 16u;
override HEIGHT: u32 = 4u;
override COLUMN_QUADS: u32 = 1u; // 1 or 2
override CHUNK: u32 = 64u;

/** The bits of an entry's value, and its column. */
var<workgroup> entries: array<vec2u, CHUNK>;

@compute @workgroup_size(WIDTH, HEIGHT)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.rowTiles * params.tiles) { return; }
  let tile = number % params.tiles;
  let plane = tile / params.columnTiles;
  let quad = (tile - plane * params.columnTiles) * WIDTH * COLUMN_QUADS + id.x;
  let firstRow = number / params.tiles * HEIGHT;
  let position = firstRow + id.y;
  let first = rowStart(firstRow);
  let last = rowStart(min(firstRow + HEIGHT, params.rows));
  let begin = rowStart(min(position, params.rows));
  let end = rowStart(min(position + 1u, params.rows));

  var s0: vec4f;
  var s1: vec4f;
  for (var chunk = first; chunk < last; chunk += CHUNK) {
    for (var i = local; i < CHUNK; i += WIDTH * HEIGHT) {
      if (chunk + i < last) { entries[i] = vec2u(bitcast<u32>(valueAt(chunk + i)), columnAt(chunk + i)); }
    }
    workgroupBarrier();
    let mine = min(end, chunk + CHUNK);
    for (var i = max(begin, chunk); i < mine; i++) {
      let entry = entries[i - chunk];
      let value = bitcast<f32>(entry.x);
      s0 += value * denseQuad(plane, entry.y, quad);
      if (COLUMN_QUADS > 1u) { s1 += value * denseQuad(plane, entry.y, quad + WIDTH); }
    }
    workgroupBarrier();
  }
  if (position < params.rows) {
    let row = rowAt(position);
    store(plane, row, 4u * quad, s0);
    if (COLUMN_QUADS > 1u) { store(plane, row, 4u * (quad + WIDTH), s1); }
  }
}
