// Product of a few rows with columns of small integers, four factors an instruction. Stands behind text that declares
//   number, number4                          i32 or f32, and four of it
//   Row, rowAt(row, chunk) -> Row            sixteen bytes of a row, with what belongs to them; rows past the last repeat it
//   Column, columnAt(column, chunk) -> Column   of a column likewise
//   term(Row, Column) -> number              what those add to an element of the product
//   store(row, column, number4)              four columns of one row, past the last of either nothing
//
// A workgroup owns QUADS quads of columns by ROWS rows; its SLICES share the work along k: slice s takes every
// SLICES-th chunk of sixteen, and their sums are added through workgroup memory, always in one order.

override SLICES: u32 = 32u; // a power of two
override QUADS: u32 = 2u;
override ROWS: u32 = 1u; // 1 or 4
override LANES: u32 = 64u; // SLICES * QUADS
override SUMS: u32 = 64u; // LANES * ROWS

var<workgroup> sums: array<number4, SUMS>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  // Neighbours read neighbouring chunks of one column.
  let slice = local % SLICES;
  let column = 4u * (number % params.columnTiles * QUADS + local / SLICES);
  let row = number / params.columnTiles * ROWS;

  var s0: number4; var s1: number4; var s2: number4; var s3: number4;
  for (var chunk = slice; chunk < params.chunks; chunk += SLICES) {
    let c0 = columnAt(column, chunk);
    let c1 = columnAt(column + 1u, chunk);
    let c2 = columnAt(column + 2u, chunk);
    let c3 = columnAt(column + 3u, chunk);
    let r0 = rowAt(row, chunk);
    s0 += number4(term(r0, c0), term(r0, c1), term(r0, c2), term(r0, c3));
    if (ROWS == 4u) {
      let r1 = rowAt(row + 1u, chunk);
      let r2 = rowAt(row + 2u, chunk);
      let r3 = rowAt(row + 3u, chunk);
      s1 += number4(term(r1, c0), term(r1, c1), term(r1, c2), term(r1, c3));
      s2 += number4(term(r2, c0), term(r2, c1), term(r2, c2), term(r2, c3));
      s3 += number4(term(r3, c0), term(r3, c1), term(r3, c2), term(r3, c3));
    }
  }

  if (SLICES > 1u) {
    sums[local] = s0;
    if (ROWS == 4u) {
      sums[local + LANES] = s1;
      sums[local + 2u * LANES] = s2;
      sums[local + 3u * LANES] = s3;
    }
    for (var apart = SLICES / 2u; apart > 0u; apart /= 2u) {
      workgroupBarrier();
      if (slice < apart) {
        for (var r = 0u; r < ROWS; r++) { sums[local + r * LANES] += sums[local + r * LANES + apart]; }
      }
    }
    if (slice > 0u) { return; }
    s0 = sums[local];
    if (ROWS == 4u) {
      s1 = sums[local + LANES];
      s2 = sums[local + 2u * LANES];
      s3 = sums[local + 3u * LANES];
    }
  }
  store(row, column, s0);
  if (ROWS == 4u) {
    store(row + 1u, column, s1);
    store(row + 2u, column, s2);
    store(row + 3u, column, s3);
  }
}
