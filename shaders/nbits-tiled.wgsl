// Product of many float rows with quantised weights: both are staged through workgroup memory, the weights
// dequantised once for all rows of the tile. Stands behind the text of nbits/text.ts, as nbits-direct.wgsl does.
//
// A workgroup of 8 × 8 invocations owns 32 rows by 64 columns and stages sixteen k at a time. Invocation (x, y)
// owns rows 4y to 4y + 3 and column quads x and x + 8; in staging every invocation dequantises one column.

const rows = 32u;
const columns = 64u;

// Quad i of row r lies at i * rows + r; likewise of columns.
var<workgroup> aTile: array<vec4f, 128>;
var<workgroup> bTile: array<vec4f, 256>;

fn stage(firstRow: u32, column: u32, chunk: u32, local: u32) {
  let own = weightsOf(min(column, params.n - 1u), chunk);
  let scale = scaleOf(min(column, params.n - 1u), chunk);
  bTile[local] = scale * own[0];
  bTile[columns + local] = scale * own[1];
  bTile[2u * columns + local] = scale * own[2];
  bTile[3u * columns + local] = scale * own[3];
  for (var i = local; i < 4u * rows; i += 64u) {
    aTile[i % 4u * rows + i / 4u] = aQuad(firstRow + i / 4u, 4u * chunk + i % 4u);
  }
}

fn stagedB(i: u32, quad: u32) -> mat4x4f {
  let at = i * columns + 4u * quad;
  return mat4x4f(bTile[at], bTile[at + 1u], bTile[at + 2u], bTile[at + 3u]);
}

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let firstColumn = number % params.columnTiles * columns;
  let firstRow = number / params.columnTiles * rows;

  var s00: vec4f; var s01: vec4f;
  var s10: vec4f; var s11: vec4f;
  var s20: vec4f; var s21: vec4f;
  var s30: vec4f; var s31: vec4f;
  for (var chunk = 0u; chunk < params.chunks; chunk++) {
    stage(firstRow, firstColumn + local, chunk, local);
    workgroupBarrier();
    for (var i = 0u; i < 4u; i++) {
      let b0 = stagedB(i, id.x);
      let b1 = stagedB(i, id.x + 8u);
      let a = i * rows + 4u * id.y;
      s00 += aTile[a] * b0;
      s01 += aTile[a] * b1;
      s10 += aTile[a + 1u] * b0;
      s11 += aTile[a + 1u] * b1;
      s20 += aTile[a + 2u] * b0;
      s21 += aTile[a + 2u] * b1;
      s30 += aTile[a + 3u] * b0;
      s31 += aTile[a + 3u] * b1;
    }
    workgroupBarrier();
  }

  let row = firstRow + 4u * id.y;
  let column = firstColumn + 4u * id.x;
  store(row, column, s00);
  store(row, column + 32u, s01);
  store(row + 1u, column, s10);
  store(row + 1u, column + 32u, s11);
  store(row + 2u, column, s20);
  store(row + 2u, column + 32u, s21);
  store(row + 3u, column, s30);
  store(row + 3u, column + 32u, s31);
}
