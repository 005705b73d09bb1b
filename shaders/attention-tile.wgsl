// Attention with queries, keys and values staged through workgroup memory: the choice of GPUs. Scores never
// leave the workgroup. Follows attention-online.wgsl.
//
// A workgroup of WIDTH × HEIGHT invocations owns HEIGHT row quads by COLUMNS * WIDTH quads of columns, and walks
// the keys WIDTH quads at a time. Invocation (x, y) owns row quad y, key quad x of the scores, and column quads
// x, x + WIDTH, … of the result. Depth and columns are staged WIDTH quads at a time. Staged line i of quad n lies
// at (WIDTH quads' index * 4 + i) * lines + n, so that neighbours read neighbouring words.
// In front: const COLUMNS.

override WIDTH: u32 = 8u;
override HEIGHT: u32 = 8u;
/** 4 * WIDTH * HEIGHT, 4 * WIDTH * WIDTH and WIDTH * HEIGHT. */
override ROW_LINES: u32 = 256u;
override KEY_LINES: u32 = 256u;
override LANES: u32 = 64u;

var<workgroup> qTile: array<elem4, ROW_LINES>;
/** Keys, then values. */
var<workgroup> kvTile: array<elem4, KEY_LINES>;
/** Weights: line r of row quad y at key quad x. */
var<workgroup> pTile: array<vec4f, ROW_LINES>;
var<workgroup> partTops: array<vec4f, LANES>;

fn stageDepth(plane: Plane, firstRow: u32, firstKey: u32, firstQuad: u32, local: u32) {
  for (var n = local; n < ROW_LINES; n += LANES) {
    let row = n / WIDTH;
    let start = startOf(plane, firstRow + row, params.qSteps);
    qTile[(n % WIDTH * 4u + row % 4u) * HEIGHT + row / 4u] = elem4(qQuad(start, firstQuad + n % WIDTH));
  }
  for (var n = local; n < KEY_LINES; n += LANES) {
    let key = n / WIDTH;
    let start = plane.k + min(firstKey + key, params.keys - 1u) * params.kSteps.z;
    kvTile[(n % WIDTH * 4u + key % 4u) * WIDTH + key / 4u] = elem4(kQuad(start, firstQuad + n % WIDTH));
  }
}

fn stageValues(plane: Plane, firstKey: u32, firstColumn: u32, local: u32) {
  for (var n = local; n < KEY_LINES; n += LANES) {
    let start = plane.v + min(firstKey + n / WIDTH, params.keys - 1u) * params.vSteps.z;
    kvTile[n] = elem4(vQuad(start, firstColumn + n % WIDTH));
  }
}

fn stagedQ(c: u32, y: u32) -> mat4x4f {
  let at = 4u * c * HEIGHT + y;
  return mat4x4f(
    vec4f(qTile[at]), vec4f(qTile[at + HEIGHT]), vec4f(qTile[at + 2u * HEIGHT]), vec4f(qTile[at + 3u * HEIGHT]));
}

fn stagedKV(c: u32, x: u32) -> mat4x4f {
  let at = 4u * c * WIDTH + x;
  return mat4x4f(
    vec4f(kvTile[at]), vec4f(kvTile[at + WIDTH]), vec4f(kvTile[at + 2u * WIDTH]), vec4f(kvTile[at + 3u * WIDTH]));
}

fn stagedP(keyQuad: u32, y: u32) -> mat4x4f {
  let at = 4u * keyQuad * HEIGHT + y;
  return mat4x4f(pTile[at], pTile[at + HEIGHT], pTile[at + 2u * HEIGHT], pTile[at + 3u * HEIGHT]);
}

/** The largest of what the invocations of one row quad give. */
fn joinTops(tops: vec4f, id: vec3u) -> vec4f {
  partTops[id.y * WIDTH + id.x] = tops;
  workgroupBarrier();
  var joined = tops;
  for (var x = 0u; x < WIDTH; x++) { joined = max(joined, partTops[id.y * WIDTH + x]); }
  return joined;
}

@compute @workgroup_size(WIDTH, HEIGHT)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.items) { return; }
  // The last rows see most keys: they go first, so that no long tile starts last.
  let firstRow = 4u * HEIGHT * (params.rowTiles - 1u - number % params.rowTiles);
  let rest = number / params.rowTiles;
  let firstColumn = rest % params.columnTiles * COLUMNS * WIDTH;
  let plane = planeOf(rest / params.columnTiles);
  let row = firstRow + 4u * id.y;
  let depthQuads = (params.depth + 3u) / 4u;

  var sums: array<mat4x4f, COLUMNS>;
  var tops = vec4f(least);
  var totals = vec4f();
  let range = keyRange(plane, firstRow, firstRow + 4u * HEIGHT - 1u);
  for (var key = range.x; key < range.y; key += 4u * WIDTH) {
    // With its value, see attention-rows.wgsl.
    var products = mat4x4f();
    for (var c = 0u; c < depthQuads; c += WIDTH) {
      workgroupBarrier();
      stageDepth(plane, firstRow, key, c, local);
      workgroupBarrier();
      let quads = min(WIDTH, depthQuads - c);
      for (var d = 0u; d < quads; d++) { products += transpose(stagedKV(d, id.x)) * stagedQ(d, id.y); }
    }
    let s = finish(products, plane, row, key + 4u * id.x);
    let newTops = joinTops(max(tops, topsOf(s)), id);
    let kept = exp(tops - newTops);
    let p = weights(s, newTops);
    tops = newTops;
    // Of this invocation's keys alone; joined at the end.
    totals = totals * kept + sumsOf(p);
    let at = 4u * id.x * HEIGHT + id.y;
    pTile[at] = p[0];
    pTile[at + HEIGHT] = p[1];
    pTile[at + 2u * HEIGHT] = p[2];
    pTile[at + 3u * HEIGHT] = p[3];
    for (var c = 0u; c < COLUMNS; c++) {
      workgroupBarrier();
      stageValues(plane, key, firstColumn + c * WIDTH, local);
      workgroupBarrier();
      var sum = scaleColumns(sums[c], kept);
      for (var q = 0u; q < WIDTH; q++) { sum += stagedKV(q, id.x) * stagedP(q, id.y); }
      sums[c] = sum;
    }
  }

  workgroupBarrier();
  partTops[id.y * WIDTH + id.x] = totals;
  workgroupBarrier();
  totals = vec4f();
  for (var x = 0u; x < WIDTH; x++) { totals += partTops[id.y * WIDTH + x]; }
  for (var c = 0u; c < COLUMNS; c++) {
    storeRows(plane, row, firstColumn + c * WIDTH + id.x, sums[c], tops, totals);
  }
}
