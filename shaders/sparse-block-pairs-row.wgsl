// Vector times a matrix with two of four along k (m = 1), for adapters that are a CPU: elements of the vector are picked for the
// values, not blocks made of them. Follows matmul-params.wgsl.
//
// `aQuad(aRow(start, 0), kQuad)` (in front) reads a quad of the vector, zero past k; `pairsAt(block)` (in front) and `positions` what
// sparse-block-pairs-pack.wgsl has packed. `store(plane, row, column, v)` (in front) writes four columns.
// Every invocation owns COLUMN_QUADS quads of columns.

override LANES: u32 = 16u;
override COLUMN_QUADS: u32 = 2u; // 1 or 2

/** Four columns' products of the four k in `v`. A first value stands at 0 to 2, a second at 1 to 3. */
fn product(v: vec4f, block: u32, bits: u32) -> vec4f {
  let word = vec4u(bits);
  let none = vec4u(0u);
  let at1 = (word & vec4u(1u, 4u, 16u, 64u)) != none;
  let at2 = (word & vec4u(2u, 8u, 32u, 128u)) != none;
  let odd = (word & vec4u(256u, 1024u, 4096u, 16384u)) != none;
  let late = (word & vec4u(512u, 2048u, 8192u, 32768u)) != none;
  let pairs = pairsAt(block);
  return pairs[0] * select(select(vec4f(v.x), vec4f(v.y), at1), vec4f(v.z), at2)
    + pairs[1] * select(vec4f(v.y), select(vec4f(v.z), vec4f(v.w), odd), late);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let tile = tileOf(number);
  let column = tile.column * LANES * COLUMN_QUADS + local;
  let last = lastQuad(params.n);
  let c0 = min(column, last);
  let c1 = min(column + LANES, last);
  let start = aRow(tile.a, 0u);
  let quads = (params.k + 3u) / 4u;
  let step = last + 1u;
  var s0: vec4f; var s1: vec4f;
  for (var q = 0u; q < quads; q++) {
    let v = vec4f(aQuad(start, q));
    let line = (q >> 1u) * step;
    let shift = (q & 1u) << 4u;
    s0 += product(v, q * step + c0, positions[line + c0] >> shift);
    if (COLUMN_QUADS > 1u) { s1 += product(v, q * step + c1, positions[line + c1] >> shift); }
  }
  store(tile.plane, 0u, 4u * column, s0);
  if (COLUMN_QUADS > 1u) { store(tile.plane, 0u, 4u * (column + LANES), s1); }
}
