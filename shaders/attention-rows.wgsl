// Attention without workgroup memory: the choice of software adapters. Follows attention-online.wgsl.
//
// An invocation owns four rows by COLUMNS quads of the result's columns, and walks the keys four at a time.
// Invocations are numbered by row quad, then column tile, then plane.
// In front: const COLUMNS.

override LANES: u32 = 64u;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = linear_workgroup(group, count) * LANES + local;
  if (number >= params.items) { return; }
  let row = 4u * (number % params.rowTiles);
  let rest = number / params.rowTiles;
  let firstColumn = rest % params.columnTiles * COLUMNS;
  let plane = planeOf(rest / params.columnTiles);
  let starts = qStarts(plane, row);
  let depthQuads = (params.depth + 3u) / 4u;

  var sums: array<mat4x4f, COLUMNS>;
  var tops = vec4f(least);
  var totals = vec4f();
  let range = keyRange(plane, row, row + 3u);
  for (var key = range.x; key < range.y; key += 4u) {
    // With its value: Dawn does not clear a matrix that is declared in a loop without one.
    var products = mat4x4f();
    for (var c = 0u; c < depthQuads; c++) {
      products += transpose(kBlock(plane, key, c)) * qBlock(starts, c);
    }
    let s = finish(products, plane, row, key);
    let newTops = max(tops, topsOf(s));
    let kept = exp(tops - newTops);
    let p = weights(s, newTops);
    tops = newTops;
    totals = totals * kept + sumsOf(p);
    for (var c = 0u; c < COLUMNS; c++) {
      sums[c] = scaleColumns(sums[c], kept) + vBlock(plane, key, firstColumn + c) * p;
    }
  }
  for (var c = 0u; c < COLUMNS; c++) {
    storeRows(plane, row, firstColumn + c, sums[c], tops, totals);
  }
}
