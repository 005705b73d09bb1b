// Attention of few rows over many keys, as when a token is generated: the keys are shared out among
// workgroups. Follows attention-online.wgsl.
//
// A workgroup owns four rows and KEY_QUADS quads of keys. First SLICES neighbours share the depth of a key
// quad; then COLUMN_LANES neighbours take a column quad each, and the groups of them share the key quads.
// `settle(plane, rowQuad, split, c, sums, tops, totals)` (in front) stores quad c of the four rows: the result
// where there is one split, else a part of it for attention-join.wgsl.

override LANES: u32 = 64u;
override KEY_QUADS: u32 = 32u;
override SLICES: u32 = 4u;
override COLUMN_LANES: u32 = 16u; // a power of two, at most LANES
override PARTS: u32 = 128u; // KEY_QUADS * SLICES

/** Products of key quad n by slice s at s * KEY_QUADS + n; later the weights at n. */
var<workgroup> parts: array<mat4x4f, PARTS>;
var<workgroup> partTops: array<vec4f, KEY_QUADS>;
var<workgroup> partSums: array<mat4x4f, LANES>;
var<workgroup> partTotals: array<vec4f, LANES>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.items) { return; }
  let split = number % params.splits;
  let rest = number / params.splits;
  let rowQuad = rest % params.rowTiles;
  let row = 4u * rowQuad;
  let plane = planeOf(rest / params.rowTiles);
  let firstKey = 4u * KEY_QUADS * split;
  let depthQuads = (params.depth + 3u) / 4u;
  let range = keyRange(plane, row, row + 3u);

  let starts = qStarts(plane, row);
  for (var n = local; n < PARTS; n += LANES) {
    let key = firstKey + 4u * (n / SLICES);
    // With its value, see attention-rows.wgsl.
    var products = mat4x4f();
    if (key + 3u >= range.x && key < range.y) {
      for (var c = n % SLICES; c < depthQuads; c += SLICES) {
        products += transpose(kBlock(plane, key, c)) * qBlock(starts, c);
      }
    }
    parts[n % SLICES * KEY_QUADS + n / SLICES] = products;
  }
  workgroupBarrier();
  for (var n = local; n < KEY_QUADS; n += LANES) {
    var products = parts[n];
    for (var slice = 1u; slice < SLICES; slice++) { products += parts[slice * KEY_QUADS + n]; }
    let s = finish(products, plane, row, firstKey + 4u * n);
    parts[n] = s;
    partTops[n] = topsOf(s);
  }
  workgroupBarrier();
  var tops = partTops[0];
  for (var n = 1u; n < KEY_QUADS; n++) { tops = max(tops, partTops[n]); }
  for (var n = local; n < KEY_QUADS; n += LANES) { parts[n] = weights(parts[n], tops); }
  workgroupBarrier();

  let groups = LANES / COLUMN_LANES;
  let own = local / COLUMN_LANES;
  for (var first = 0u; 4u * first < params.valueDepth; first += COLUMN_LANES) {
    let column = first + local % COLUMN_LANES;
    var sums = mat4x4f();
    var totals = vec4f();
    for (var n = own; n < KEY_QUADS; n += groups) {
      let p = parts[n];
      let key = firstKey + 4u * n;
      if (key < range.y && 4u * column < params.valueDepth) { sums += vBlock(plane, key, column) * p; }
      totals += sumsOf(p);
    }
    partSums[local] = sums;
    partTotals[local] = totals;
    for (var apart = groups / 2u; apart > 0u; apart /= 2u) {
      workgroupBarrier();
      if (own < apart) {
        partSums[local] += partSums[local + apart * COLUMN_LANES];
        partTotals[local] += partTotals[local + apart * COLUMN_LANES];
      }
    }
    if (own == 0u && 4u * column < params.valueDepth) {
      settle(plane, rest, split, column, partSums[local], tops, partTotals[local]);
    }
    workgroupBarrier();
  }
}
