// Product of matrices of 32-bit integers. Follows matmul-operands.wgsl, and `plus(elem4, elem4)` and
// `by(elem4, elem4)`, which wrap around, or mark what does not fit.
//
// An invocation owns a quad of rows by a quad of columns; a workgroup's stand side by side along the columns.
// `store(plane, row, column, v)` (in front) writes four columns of one row.

override LANES: u32 = 32u;

fn turned(m: array<elem4, 4>) -> array<elem4, 4> {
  return array<elem4, 4>(
    elem4(m[0].x, m[1].x, m[2].x, m[3].x), elem4(m[0].y, m[1].y, m[2].y, m[3].y),
    elem4(m[0].z, m[1].z, m[2].z, m[3].z), elem4(m[0].w, m[1].w, m[2].w, m[3].w));
}

/** Four rows of A, each along k. */
fn aRows(start: u32, rowQuad: u32, kQuad: u32) -> array<elem4, 4> {
  let lines = array<elem4, 4>(
    aLine(start, rowQuad, kQuad, 0u), aLine(start, rowQuad, kQuad, 1u),
    aLine(start, rowQuad, kQuad, 2u), aLine(start, rowQuad, kQuad, 3u));
  if (A_TRANSPOSED) { return turned(lines); }
  return lines;
}

/** Four k of B, each along the columns. */
fn bRows(start: u32, kQuad: u32, columnQuad: u32) -> array<elem4, 4> {
  let lines = array<elem4, 4>(
    bLine(start, kQuad, columnQuad, 0u), bLine(start, kQuad, columnQuad, 1u),
    bLine(start, kQuad, columnQuad, 2u), bLine(start, kQuad, columnQuad, 3u));
  if (B_TRANSPOSED) { return turned(lines); }
  return lines;
}

/** `s` and a row of A times four k of B. */
fn plusProduct(s: elem4, a: elem4, b: array<elem4, 4>) -> elem4 {
  let first = plus(by(elem4(a.x), b[0]), by(elem4(a.y), b[1]));
  return plus(s, plus(first, plus(by(elem4(a.z), b[2]), by(elem4(a.w), b[3]))));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) lane: u32) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let tile = tileOf(number);
  let c = tile.column * LANES + lane;
  var s0: elem4; var s1: elem4; var s2: elem4; var s3: elem4;
  for (var q = tile.firstQuad; q < tile.endQuad; q++) {
    let a = aRows(tile.a, tile.row, q);
    let b = bRows(tile.b, q, c);
    s0 = plusProduct(s0, a[0], b);
    s1 = plusProduct(s1, a[1], b);
    s2 = plusProduct(s2, a[2], b);
    s3 = plusProduct(s3, a[3], b);
  }
  store(tile.plane, 4u * tile.row, 4u * c, s0);
  store(tile.plane, 4u * tile.row + 1u, 4u * c, s1);
  store(tile.plane, 4u * tile.row + 2u, 4u * c, s2);
  store(tile.plane, 4u * tile.row + 3u, 4u * c, s3);
}
