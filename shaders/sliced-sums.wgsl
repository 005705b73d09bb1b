// The end of products that share out the work along k: what the slices of a quad of columns have summed up is added through
// workgroup memory, always in one order, and stored. Stands between text that declares
//   number4                       four sums
//   store(row, column, number4)   four columns of one row, past the last of either nothing
// and the product, whose workgroups own QUADS quads of columns by ROWS rows: invocation `local` has slice local % SLICES.

override SLICES: u32 = 32u; // a power of two
override QUADS: u32 = 2u;
override ROWS: u32 = 1u; // 1 or 4
override LANES: u32 = 64u; // SLICES * QUADS
override SUMS: u32 = 64u; // LANES * ROWS

var<workgroup> sums: array<number4, SUMS>;

/** Called by all invocations of a workgroup, with the sums of as many rows as there are. */
fn storeSums(row: u32, column: u32, local: u32, own0: number4, own1: number4, own2: number4, own3: number4) {
  var s0 = own0; var s1 = own1; var s2 = own2; var s3 = own3;
  if (SLICES > 1u) {
    let slice = local % SLICES;
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
