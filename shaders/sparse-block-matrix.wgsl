// Sparse matrix of blocks times a dense matrix, blocks of ROWS × INPUTS elements: 4×1, 1×4 or 4×4. The dense micro-kernel
// keeps four rows by COLUMN_QUADS quads of columns in registers; nothing is staged.
//
// values, columns, table  see sparse-block-pack.wgsl; `rangeOf`, `lineAt`, `columnAt`, `columnPair` (in front) read them
// dense  [batch, length, denseQuads] quads of columns
// `ownBlock(i, lane)` (in front) is a 4×4 block, a column of the matrix for each of its rows; `placeOf(tile, y)` (in front) the
// place among the quads of rows in their order; `store(plane, row, column, v)` (in front) writes four columns of a row.
// A workgroup owns HEIGHT quads of rows by WIDTH * COLUMN_QUADS quads of columns; its invocations stand side by side along
// the columns, where they read the same blocks.

struct Params {
  rows: u32, columns: u32, length: u32, alpha: f32,
  // Of rows; of columns of the dense matrix, and of a whole plane of it.
  quads: u32, denseQuads: u32, planeQuads: u32,
  columnTiles: u32, tiles: u32, workgroups: u32,
}

@group(0) @binding(3) var<storage, read> dense: array<elem4>;
@group(0) @binding(5) var<uniform> params: Params;

override ROWS: u32 = 4u;
override INPUTS: u32 = 1u;
override WIDTH: u32 = 16u;
override HEIGHT: u32 = 1u;
override COLUMN_QUADS: u32 = 1u;
/** Whether the length is no multiple of four. */
override RAGGED: bool = false;

/** Four lines of the dense matrix, `step` quads apart, that meet a block's inputs. Past the edge the block is zero. */
fn denseBlock(start: u32, step: u32, column: u32) -> mat4x4f {
  let line = 4u * column;
  if (RAGGED) {
    let last = params.length - 1u;
    return mat4x4f(
      vec4f(dense[start + line * step]), vec4f(dense[start + min(line + 1u, last) * step]),
      vec4f(dense[start + min(line + 2u, last) * step]), vec4f(dense[start + min(line + 3u, last) * step]));
  }
  let at = start + line * step;
  return mat4x4f(
    vec4f(dense[at]), vec4f(dense[at + step]), vec4f(dense[at + 2u * step]), vec4f(dense[at + 3u * step]));
}

/** A quad of columns times an element of each of four rows. */
fn timesRows(quad: vec4f, rows: vec4f) -> mat4x4f {
  return mat4x4f(quad * rows.x, quad * rows.y, quad * rows.z, quad * rows.w);
}

@compute @workgroup_size(WIDTH, HEIGHT)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_id) local: vec3u, own: Lane,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let rowTile = number / params.tiles;
  let tile = number - rowTile * params.tiles;
  let plane = tile / params.columnTiles;
  let place = placeOf(rowTile, local.y);
  let rows = table[min(place, params.quads - 1u)];
  let quad = (tile - plane * params.columnTiles) * WIDTH * COLUMN_QUADS + local.x;
  let last = params.denseQuads - 1u;
  let x0 = plane * params.planeQuads + min(quad, last);
  let x1 = plane * params.planeQuads + min(quad + WIDTH, last);

  let step = params.denseQuads;

  // A column of the matrix is a row of the result.
  var sums: array<mat4x4f, 2>;
  if (ROWS == 1u) {
    for (var row = 0u; row < 4u; row++) {
      let range = rangeOf(4u * rows + row);
      var t0 = vec4f();
      var t1 = vec4f();
      for (var i = range.x; i < range.y; i++) {
        let column = columnAt(i);
        let value = lineAt(i);
        t0 += denseBlock(x0, step, column) * value;
        if (COLUMN_QUADS > 1u) { t1 += denseBlock(x1, step, column) * value; }
      }
      sums[0][row] = t0;
      sums[1][row] = t1;
    }
  } else {
    let range = rangeOf(rows);
    // Not yet in the array: what is indexed by a variable lies in memory.
    var s0: mat4x4f;
    var s1: mat4x4f;
    if (INPUTS == 1u) {
      for (var i = range.x; i < range.y; i += 2u) {
        let lines = columnPair(i) * step;
        let v0 = lineAt(i);
        let v1 = lineAt(i + 1u);
        s0 += timesRows(vec4f(dense[x0 + lines.x]), v0) + timesRows(vec4f(dense[x0 + lines.y]), v1);
        if (COLUMN_QUADS > 1u) {
          s1 += timesRows(vec4f(dense[x1 + lines.x]), v0) + timesRows(vec4f(dense[x1 + lines.y]), v1);
        }
      }
    } else {
      for (var i = range.x; i < range.y; i++) {
        let column = columnAt(i);
        let block = ownBlock(i, own.id & 3u);
        s0 += denseBlock(x0, step, column) * block;
        if (COLUMN_QUADS > 1u) { s1 += denseBlock(x1, step, column) * block; }
      }
    }
    sums = array<mat4x4f, 2>(s0, s1);
  }

  if (place >= params.quads) { return; }
  for (var i = 0u; i < 4u; i++) {
    store(plane, 4u * rows + i, 4u * quad, sums[0][i]);
    if (COLUMN_QUADS > 1u) { store(plane, 4u * rows + i, 4u * (quad + WIDTH), sums[1][i]); }
  }
}
