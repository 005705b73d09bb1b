// Product of float rows with quantised weights that are dequantised in registers, without staging; the four invocations
// of a quad share rows through swaps of lanes, as in matmul-quad.wgsl. Needs `enable subgroups;`. Stands behind the
// text of nbits/text.ts and nbits/packed.ts, which declare the operands and
//   rowStart(row), quadOf(start, quad) -> vec4f   four elements of a row of A, 0 past k
//   quadWords(quad, columnQuad, quads) -> vec4u   four k of four columns, of what nbits-pack.wgsl leaves
//   lanesOf(word) -> vec4f               the numbers of such a word
//   scalesAt(at), zerosAt(at) -> vec4f   of four columns of one block
//   ONE_BLOCK                            columns have one scale each
//   store(row, column, v)                four columns of one row
//
// Every invocation owns ROW_QUADS quads of rows by one quad of columns. Which row a swap brings is read off by swapping
// row numbers: nothing hangs on how an adapter numbers the invocations of a quad.

override LANES: u32 = 16u;
override ROW_QUADS: u32 = 4u; // 1, 2 or 4

/** A column for each row of a row quad; the own one first. */
fn rowsOfQuad(own: vec4f) -> mat4x4f {
  return mat4x4f(own, quadSwapX(own), quadSwapY(own), quadSwapDiagonal(own));
}

/** Four k of four columns, a column of the matrix for each k; without the scale where there is only one. */
fn opened(w: vec4u, scale: vec4f, zero: vec4f) -> mat4x4f {
  if (ONE_BLOCK) { return mat4x4f(lanesOf(w.x) - zero, lanesOf(w.y) - zero, lanesOf(w.z) - zero, lanesOf(w.w) - zero); }
  return mat4x4f(
    fma(scale, lanesOf(w.x), zero), fma(scale, lanesOf(w.y), zero),
    fma(scale, lanesOf(w.z), zero), fma(scale, lanesOf(w.w), zero));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) invocation: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let row = number / params.columnTiles * 4u * ROW_QUADS + (invocation & 3u);
  let column = number % params.columnTiles * LANES + local;
  let quads = (params.n + 3u) / 4u;
  let c = min(column, quads - 1u);

  let r0 = rowStart(row);
  let r1 = rowStart(row + 4u);
  let r2 = rowStart(row + 8u);
  let r3 = rowStart(row + 12u);

  // A column of the matrix is a row of the result.
  var s0: mat4x4f; var s1: mat4x4f; var s2: mat4x4f; var s3: mat4x4f;
  var scale = scalesAt(c);
  var zero = zerosAt(c);
  // One loop, not one in another: entering and leaving a loop a software adapter copies all sums.
  var at = c;
  var left = 0u;
  for (var q = 0u; q < (params.k + 3u) / 4u; q++) {
    if (!ONE_BLOCK) {
      scale = scalesAt(at);
      zero = -scale * zerosAt(at);
      left++;
      let over = left == STEP_QUADS * params.stepsPerBlock;
      at += select(0u, quads, over);
      left = select(left, 0u, over);
    }
    let b = opened(quadWords(q, c, quads), scale, zero);
    s0 += b * rowsOfQuad(quadOf(r0, q));
    if (ROW_QUADS > 1u) { s1 += b * rowsOfQuad(quadOf(r1, q)); }
    if (ROW_QUADS > 2u) {
      s2 += b * rowsOfQuad(quadOf(r2, q));
      s3 += b * rowsOfQuad(quadOf(r3, q));
    }
  }

  let rows = vec4u(row, quadSwapX(row), quadSwapY(row), quadSwapDiagonal(row));
  // Stores side by side would take longer to compile than the loop.
  var sums = array<mat4x4f, 4>(s0, s1, s2, s3);
  for (var i = 0u; i < 4u * ROW_QUADS; i++) {
    let sum = sums[i / 4u][i % 4u];
    store(rows[i % 4u] + (i & ~3u), 4u * column, select(sum, scale * sum, ONE_BLOCK));
  }
}
