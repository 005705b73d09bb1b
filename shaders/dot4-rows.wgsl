// Product of a few rows with columns of small integers, four factors an instruction. Stands behind text that declares
//   number, number4                          i32 or f32, and four of it
//   Row, rowAt(row, chunk) -> Row            sixteen bytes of a row, with what belongs to them; rows past the last repeat it
//   Column, columnAt(column, chunk) -> Column   of a column likewise
//   term(Row, Column) -> number              what those add to an element of the product
// and behind sliced-sums.wgsl. Slice s takes every SLICES-th chunk of sixteen along k.

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

  storeSums(row, column, local, s0, s1, s2, s3);
}
