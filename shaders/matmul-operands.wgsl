// 4×4 blocks of the operands in registers, as they lie in memory. Follows matmul-params.wgsl.
//
// a  A [batch, m, k], or [batch, k, m] where A_TRANSPOSED
// b  B [batch, k, n], or [batch, n, k] where B_TRANSPOSED
// `aQuad(at)` and `bQuad(at)` (in front of this text) read the four elements from `at` on.
//
// Rows and columns past the edge repeat the last quad, or hold whatever memory holds: they are never
// stored. k past the edge reads as zero in both operands, so it adds nothing.

override A_TRANSPOSED: bool = false;
override B_TRANSPOSED: bool = false;
/** Whether k is no multiple of four. */
override K_RAGGED: bool = false;

/** Line `i` of four of a block of A: a row along k, or where A is transposed one k along the rows. */
fn aLine(start: u32, rowQuad: u32, kQuad: u32, i: u32) -> elem4 {
  let rows = 4u * min(rowQuad, lastQuad(params.m));
  let k = 4u * kQuad;
  if (A_TRANSPOSED) { return withinK(aQuad(start + (k + i) * params.m + rows), vec4u(k + i)); }
  return withinK(aQuad(start + min(rows + i, params.m - 1u) * params.k + k), k + vec4u(0u, 1u, 2u, 3u));
}

/** Line `i` of four of a block of B: one k along the columns, or where B is transposed a column along k. */
fn bLine(start: u32, kQuad: u32, columnQuad: u32, i: u32) -> elem4 {
  let columns = 4u * min(columnQuad, lastQuad(params.n));
  let k = 4u * kQuad;
  if (B_TRANSPOSED) {
    return withinK(bQuad(start + min(columns + i, params.n - 1u) * params.k + k), k + vec4u(0u, 1u, 2u, 3u));
  }
  return withinK(bQuad(start + (k + i) * params.n + columns), vec4u(k + i));
}

fn withinK(line: elem4, k: vec4u) -> elem4 {
  if (K_RAGGED) { return select(elem4(), line, k < vec4u(params.k)); }
  return line;
}

/** Four lines of A as a matrix with a column for each row of A, so that B's block times it is the result's. */
fn aMatrix(l0: elem4, l1: elem4, l2: elem4, l3: elem4) -> mat4x4f {
  let lines = mat4x4f(vec4f(l0), vec4f(l1), vec4f(l2), vec4f(l3));
  if (A_TRANSPOSED) { return transpose(lines); }
  return lines;
}

/** Four lines of B as a matrix with a column for each k. */
fn bMatrix(l0: elem4, l1: elem4, l2: elem4, l3: elem4) -> mat4x4f {
  let lines = mat4x4f(vec4f(l0), vec4f(l1), vec4f(l2), vec4f(l3));
  if (B_TRANSPOSED) { return transpose(lines); }
  return lines;
}

fn bBlock(start: u32, kQuad: u32, columnQuad: u32) -> mat4x4f {
  return bMatrix(
    bLine(start, kQuad, columnQuad, 0u), bLine(start, kQuad, columnQuad, 1u),
    bLine(start, kQuad, columnQuad, 2u), bLine(start, kQuad, columnQuad, 3u));
}
