// Vector times matrix (m = 1) without staging, for adapters that are a CPU. Follows matmul-params.wgsl.
//
// `aFour(start, kQuad, lane)` (in front) is a quad of the vector, zero past k; `Lane` what it needs to know of an invocation;
// `bBlock(start, kQuad, columnQuad)` (in front) reads four k by four columns of B, a column of the matrix for
// each k. `store(plane, row, column, v)` (in front) writes four columns.
//
// Every invocation owns COLUMN_QUADS quads of columns. The loop is as short as can be: further rounds of it
// side by side would not fit a CPU's cache for decoded instructions, and are slower.

override LANES: u32 = 16u;
override COLUMN_QUADS: u32 = 2u; // 1 or 2

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, lane: Lane) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let tile = tileOf(number);
  let column = tile.column * LANES * COLUMN_QUADS + lane.local;
  let last = lastQuad(params.n);
  let c0 = min(column, last);
  let c1 = min(column + LANES, last);
  let quads = (params.k + 3u) / 4u;
  var s0: vec4f; var s1: vec4f;
  for (var q = 0u; q < quads; q++) {
    let v = aFour(tile.a, q, lane);
    s0 += bBlock(tile.b, q, c0) * v;
    if (COLUMN_QUADS > 1u) { s1 += bBlock(tile.b, q, c1) * v; }
  }
  store(tile.plane, 0u, 4u * column, s0);
  if (COLUMN_QUADS > 1u) { store(tile.plane, 0u, 4u * (column + LANES), s1); }
}
