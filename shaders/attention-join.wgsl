// Joins what the splits of attention-split.wgsl left: an invocation owns a column quad of four rows. Follows
// attention-online.wgsl.
//
// partial  vec4f; for each row quad of each plane, each split and each column quad 6: the sums of the four
//          rows, their largest scores, their totals

override LANES: u32 = 64u;

@group(0) @binding(0) var<storage, read> partial: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let columns = (params.valueDepth + 3u) / 4u;
  let number = linear_workgroup(group, count) * LANES + local;
  if (number >= params.items) { return; }
  let column = number % columns;
  let rowQuad = number / columns;
  let plane = planeOf(rowQuad / params.rowTiles);

  var sums = mat4x4f();
  var totals = vec4f();
  var tops = vec4f(least);
  for (var split = 0u; split < params.splits; split++) {
    let at = 6u * ((rowQuad * params.splits + split) * columns + column);
    let newTops = max(tops, partial[at + 4u]);
    let kept = exp(tops - newTops);
    let added = exp(partial[at + 4u] - newTops);
    sums = scaleColumns(sums, kept)
      + scaleColumns(mat4x4f(partial[at], partial[at + 1u], partial[at + 2u], partial[at + 3u]), added);
    totals = totals * kept + partial[at + 5u] * added;
    tops = newTops;
  }
  storeRows(plane, 4u * (rowQuad % params.rowTiles), column, sums, tops, totals);
}
