// Matrix product by register tiles that read storage directly: for adapters where workgroup memory costs
// as much as storage. Follows matmul-operands.wgsl.
//
// Every invocation owns ROW_QUADS quads of rows by COLUMN_QUADS quads of columns; a workgroup's invocations
// stand side by side along the columns.
// `store(plane, row, column, v)` (in front) writes four columns of one row.

override LANES: u32 = 32u;
override ROW_QUADS: u32 = 4u;
override COLUMN_QUADS: u32 = 2u;

fn aBlock(start: u32, rowQuad: u32, kQuad: u32) -> mat4x4f {
  return aMatrix(
    aLine(start, rowQuad, kQuad, 0u), aLine(start, rowQuad, kQuad, 1u),
    aLine(start, rowQuad, kQuad, 2u), aLine(start, rowQuad, kQuad, 3u));
}

fn storeBlock(plane: u32, rowQuad: u32, columnQuad: u32, v: mat4x4f) {
  for (var i = 0u; i < 4u; i++) { store(plane, 4u * rowQuad + i, 4u * columnQuad, v[i]); }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) lane: u32) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let tile = tileOf(number);
  let r = tile.row * ROW_QUADS;
  let c = tile.column * COLUMN_QUADS * LANES + lane;

  // s<row quad><column quad>: a column of the matrix is a row of the result.
  var s00: mat4x4f; var s01: mat4x4f;
  var s10: mat4x4f; var s11: mat4x4f;
  var s20: mat4x4f; var s21: mat4x4f;
  var s30: mat4x4f; var s31: mat4x4f;
  for (var q = tile.firstQuad; q < tile.endQuad; q++) {
    let b0 = bBlock(tile.b, q, c);
    var b1: mat4x4f;
    if (COLUMN_QUADS > 1u) { b1 = bBlock(tile.b, q, c + LANES); }
    let a0 = aBlock(tile.a, r, q);
    s00 += b0 * a0;
    if (COLUMN_QUADS > 1u) { s01 += b1 * a0; }
    if (ROW_QUADS > 1u) {
      let a1 = aBlock(tile.a, r + 1u, q);
      s10 += b0 * a1;
      if (COLUMN_QUADS > 1u) { s11 += b1 * a1; }
    }
    if (ROW_QUADS > 2u) {
      let a2 = aBlock(tile.a, r + 2u, q);
      s20 += b0 * a2;
      if (COLUMN_QUADS > 1u) { s21 += b1 * a2; }
      let a3 = aBlock(tile.a, r + 3u, q);
      s30 += b0 * a3;
      if (COLUMN_QUADS > 1u) { s31 += b1 * a3; }
    }
  }

  storeBlock(tile.plane, r, c, s00);
  if (ROW_QUADS > 1u) { storeBlock(tile.plane, r + 1u, c, s10); }
  if (ROW_QUADS > 2u) { storeBlock(tile.plane, r + 2u, c, s20); storeBlock(tile.plane, r + 3u, c, s30); }
  if (COLUMN_QUADS > 1u) {
    storeBlock(tile.plane, r, c + LANES, s01);
    if (ROW_QUADS > 1u) { storeBlock(tile.plane, r + 1u, c + LANES, s11); }
    if (ROW_QUADS > 2u) { storeBlock(tile.plane, r + 2u, c + LANES, s21); storeBlock(tile.plane, r + 3u, c + LANES, s31); }
  }
}
