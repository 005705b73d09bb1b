// Matrix product by register tiles that read storage directly, where the four invocations of a quad share
// rows: each loads one row of four, and the others get it by a swap of lanes, which costs next to nothing. So a
// row quad takes one load where it would take four. Follows matmul-params.wgsl; needs `enable subgroups;`.
//
// `aQuad(aRow(start, row), kQuad)` (in front) reads a quad along k of a row of A, zero past k;
// `bBlock(start, kQuad, columnQuad)` (in front) reads four k by four columns of B, a column of the matrix for
// each k. `store(plane, row, column, v)` (in front) writes four columns of one row.
//
// Every invocation owns ROW_QUADS quads of rows by one quad of columns; a workgroup's invocations stand side by
// side along the columns and have their rows in common. Which row a swap brings is read off by swapping row
// numbers: nothing hangs on how an adapter numbers the invocations of a quad.

override LANES: u32 = 64u;
override ROW_QUADS: u32 = 4u; // 1, 2 or 4

/** A column for each row of a row quad; the own one first. */
fn rowsOfQuad(own: elem4) -> mat4x4f {
  let line = vec4f(own);
  return mat4x4f(line, quadSwapX(line), quadSwapY(line), quadSwapDiagonal(line));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) invocation: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let tile = tileOf(number);
  let row = tile.row * 4u * ROW_QUADS + (invocation & 3u);
  let column = tile.column * LANES + local;
  let c = min(column, lastQuad(params.n));
  let quads = (params.k + 3u) / 4u;
  let last = params.m - 1u;
  let r0 = aRow(tile.a, min(row, last));
  let r1 = aRow(tile.a, min(row + 4u, last));
  let r2 = aRow(tile.a, min(row + 8u, last));
  let r3 = aRow(tile.a, min(row + 12u, last));

  // A column of the matrix is a row of the result.
  var s0: mat4x4f; var s1: mat4x4f; var s2: mat4x4f; var s3: mat4x4f;
  for (var q = 0u; q < quads; q++) {
    let block = bBlock(tile.b, q, c);
    s0 += block * rowsOfQuad(aQuad(r0, q));
    if (ROW_QUADS > 1u) { s1 += block * rowsOfQuad(aQuad(r1, q)); }
    if (ROW_QUADS > 2u) {
      s2 += block * rowsOfQuad(aQuad(r2, q));
      s3 += block * rowsOfQuad(aQuad(r3, q));
    }
  }

  let rows = vec4u(row, quadSwapX(row), quadSwapY(row), quadSwapDiagonal(row));
  if (ROW_QUADS == 1u) {
    store(tile.plane, rows[0], 4u * column, s0[0]);
    store(tile.plane, rows[1], 4u * column, s0[1]);
    store(tile.plane, rows[2], 4u * column, s0[2]);
    store(tile.plane, rows[3], 4u * column, s0[3]);
  } else {
    // More stores side by side would take longer to compile than the loop.
    var sums = array<mat4x4f, 4>(s0, s1, s2, s3);
    for (var i = 0u; i < 4u * ROW_QUADS; i++) {
      store(tile.plane, rows[i % 4u] + (i & ~3u), 4u * column, sums[i / 4u][i % 4u]);
    }
  }
}
