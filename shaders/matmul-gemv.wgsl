// Vector times matrix (m = 1). Follows matmul-operands.wgsl.
//
// A workgroup owns WIDTH * COLUMN_QUADS quads of columns. Its SLICES share the work along k: slice y takes
// every SLICES-th quad of k, and the slices' sums are added through workgroup memory, always in one order.
// `store(plane, row, column, v)` (in front) writes four columns of the row.

override WIDTH: u32 = 32u;
override SLICES: u32 = 2u; // a power of two
override COLUMN_QUADS: u32 = 1u;
override LANES: u32 = 64u; // WIDTH * SLICES
override SUMS: u32 = 64u; // LANES * COLUMN_QUADS

var<workgroup> sums: array<vec4f, SUMS>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let tile = tileOf(number);
  // Neighbours read neighbouring words: along the columns, or along k where B is transposed.
  var x = local % WIDTH;
  var y = local / WIDTH;
  if (B_TRANSPOSED) {
    x = local / SLICES;
    y = local % SLICES;
  }
  let c = tile.column * COLUMN_QUADS * WIDTH + x;

  var s0: vec4f;
  var s1: vec4f;
  for (var q = tile.firstQuad + y; q < tile.endQuad; q += SLICES) {
    let a = vec4f(aLine(tile.a, 0u, q, 0u));
    s0 += bBlock(tile.b, q, c) * a;
    if (COLUMN_QUADS > 1u) { s1 += bBlock(tile.b, q, c + WIDTH) * a; }
  }

  let mine = y * WIDTH + x;
  sums[mine] = s0;
  if (COLUMN_QUADS > 1u) { sums[mine + LANES] = s1; }
  for (var apart = SLICES / 2u; apart > 0u; apart /= 2u) {
    workgroupBarrier();
    if (y < apart) {
      sums[mine] += sums[mine + apart * WIDTH];
      if (COLUMN_QUADS > 1u) { sums[mine + LANES] += sums[mine + LANES + apart * WIDTH]; }
    }
  }
  if (y == 0u) {
    store(tile.plane, 0u, 4u * c, sums[mine]);
    if (COLUMN_QUADS > 1u) { store(tile.plane, 0u, 4u * (c + WIDTH), sums[mine + LANES]); }
  }
}
