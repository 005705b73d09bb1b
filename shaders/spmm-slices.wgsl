// Sparse matrix times dense matrix, one row of a slice an invocation, without staging: for adapters that are a CPU. Follows the
// bindings of ops/sparse/pack.ts.
//
// dense    [batch, length, quads]: rows of quads of columns
// `store(plane, row, column, v)` (in front) writes four results of a row.
// An invocation owns COLUMN_QUADS quads of columns; the tiles of a row's columns follow one another.

struct Params {
  rows: u32, slices: u32, alpha: f32,
  // Columns of the result, quads of a row of the dense matrix, of one of the batch.
  columns: u32, quads: u32, planeQuads: u32,
  columnTiles: u32, tiles: u32,
}

@group(0) @binding(3) var<storage, read> dense: array<elem4>;
@group(0) @binding(5) var<uniform> params: Params;

override SLICE: u32 = 4u;
override LANES: u32 = 16u;
override COLUMN_QUADS: u32 = 4u; // 1, 2 or 4

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = linear_workgroup(group, count);
  let tile = number % params.tiles;
  let position = number / params.tiles * LANES + local;
  let slice = position / SLICE;
  if (slice >= params.slices) { return; }
  let plane = tile / params.columnTiles;
  let first = (tile - plane * params.columnTiles) * COLUMN_QUADS;
  let last = params.quads - 1u;
  let start = plane * params.planeQuads;
  let c0 = start + first;
  let c1 = start + min(first + 1u, last);
  let c2 = start + min(first + 2u, last);
  let c3 = start + min(first + 3u, last);

  var s0: vec4f; var s1: vec4f; var s2: vec4f; var s3: vec4f;
  let end = table[slice + 1u];
  for (var quad = table[slice] + position % SLICE; quad < end; quad += SLICE) {
    let rows = columnsAt(quad) * params.quads;
    let v = valuesAt(quad);
    s0 += v.x * vec4f(dense[rows.x + c0]) + v.y * vec4f(dense[rows.y + c0])
      + v.z * vec4f(dense[rows.z + c0]) + v.w * vec4f(dense[rows.w + c0]);
    if (COLUMN_QUADS > 1u) {
      s1 += v.x * vec4f(dense[rows.x + c1]) + v.y * vec4f(dense[rows.y + c1])
        + v.z * vec4f(dense[rows.z + c1]) + v.w * vec4f(dense[rows.w + c1]);
    }
    if (COLUMN_QUADS > 2u) {
      s2 += v.x * vec4f(dense[rows.x + c2]) + v.y * vec4f(dense[rows.y + c2])
        + v.z * vec4f(dense[rows.z + c2]) + v.w * vec4f(dense[rows.w + c2]);
      s3 += v.x * vec4f(dense[rows.x + c3]) + v.y * vec4f(dense[rows.y + c3])
        + v.z * vec4f(dense[rows.z + c3]) + v.w * vec4f(dense[rows.w + c3]);
    }
  }
  let row = table[params.slices + 1u + position];
  store(plane, row, 4u * first, s0);
  if (COLUMN_QUADS > 1u) { store(plane, row, 4u * first + 4u, s1); }
  if (COLUMN_QUADS > 2u) {
    store(plane, row, 4u * first + 8u, s2);
    store(plane, row, 4u * first + 12u, s3);
  }
}
