// Matrix product by inner products: the invocations of a workgroup walk along k side by side, for results with few
// rows or columns, or operands that both lie along k. Sums are added within subgroups of any size, and only where those
// are smaller than the workgroup through workgroup memory, in one order. Follows matmul-operands.wgsl; needs
// `enable subgroups;`.
//
// A workgroup owns four rows (one where ROWS is 1) by four columns; invocation x takes every LANES-th quad of k from x
// on. `store(plane, row, column, v)` (in front) writes four columns of one row.

override LANES: u32 = 32u; // at least ROWS, a power of two
override ROWS: u32 = 4u; // 1 or 4
override SUMS: u32 = 128u; // LANES * ROWS

var<workgroup> sums: array<vec4f, SUMS>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32, @builtin(subgroup_size) size: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let tile = tileOf(number);
  let r = tile.row;

  // A column of the matrix is a row of the result.
  var s: mat4x4f;
  for (var q = tile.firstQuad + local; q < tile.endQuad; q += LANES) {
    let block = bBlock(tile.b, q, tile.column);
    if (ROWS == 1u) {
      s[0] += block * vec4f(aLine(tile.a, r, q, 0u));
    } else {
      s += block * aMatrix(
        aLine(tile.a, r, q, 0u), aLine(tile.a, r, q, 1u), aLine(tile.a, r, q, 2u), aLine(tile.a, r, q, 3u));
    }
  }

  s[0] = subgroupAdd(s[0]);
  if (ROWS > 1u) {
    s[1] = subgroupAdd(s[1]);
    s[2] = subgroupAdd(s[2]);
    s[3] = subgroupAdd(s[3]);
  }
  if (size < LANES) {
    // One sum of each subgroup takes part, wherever in the workgroup its invocations are.
    if (!subgroupElect()) { s = mat4x4f(); }
    for (var i = 0u; i < ROWS; i++) { sums[i * LANES + local] = s[i]; }
    for (var apart = LANES / 2u; apart > 0u; apart /= 2u) {
      workgroupBarrier();
      if (local < apart) {
        for (var i = 0u; i < ROWS; i++) { sums[i * LANES + local] += sums[i * LANES + local + apart]; }
      }
    }
    workgroupBarrier();
    for (var i = 0u; i < ROWS; i++) { s[i] = sums[i * LANES]; }
  }
  if (local < ROWS) { store(tile.plane, ROWS * r + local, 4u * tile.column, s[local]); }
}
