// Attention where four invocations share each load of keys and values through subgroups: the choice of software
// adapters that have them. Follows attention-online.wgsl.
//
// Four neighbours own 4 * ROWS rows, each ROWS of them, and walk the keys four at a time: each loads one key and
// one value and hands it to the others. Tiles of rows are numbered within their plane, then by plane.
// In front: const ROWS, Q_QUADS, V_QUADS. Behind: `attend`, which takes four keys in.

override LANES: u32 = 32u;

// Of the own rows: queries, weighted sums of values, what scores are measured against, totals of the weights, and
// the largest of the scores just found. Where it matters only constants index them.
var<private> queries: array<vec4f, ROWS * Q_QUADS>;
var<private> sums: array<vec4f, ROWS * V_QUADS>;
var<private> tops: array<f32, ROWS>;
var<private> totals: array<f32, ROWS>;
var<private> found: array<f32, ROWS>;

// How far a score may lie above its row's top: weights stay below e^8, and few blocks change the top.
const slack = 8f;

fn topOf(s: vec4f) -> f32 { return max(max(max(s.x, s.y), max(s.z, s.w)), least); }

fn raise() {
  for (var r = 0u; r < ROWS; r++) {
    let top = select(tops[r], found[r], found[r] > tops[r] + slack);
    let kept = exp(tops[r] - top);
    tops[r] = top;
    totals[r] *= kept;
    for (var c = 0u; c < V_QUADS; c++) { sums[r * V_QUADS + c] *= kept; }
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  // Those past the end repeat the last tile, since all four must take part, and do not store.
  let number = linear_workgroup(group, count) * (LANES / 4u) + local / 4u;
  let tile = min(number, params.items - 1u);
  let lane = local % 4u;
  let firstRow = tile % params.rowTiles * 4u * ROWS;
  let row = firstRow + lane * ROWS;
  let plane = planeOf(tile / params.rowTiles);

  for (var r = 0u; r < ROWS; r++) {
    let at = startOf(plane, row + r, params.qSteps);
    for (var c = 0u; c < Q_QUADS; c++) { queries[r * Q_QUADS + c] = qQuad(at, c); }
    tops[r] = least;
  }
  let range = keyRange(plane, firstRow, firstRow + 4u * ROWS - 1u);
  for (var key = range.x; key < range.y; key += 4u) {
    let own = min(key + lane, params.keys - 1u);
    attend(plane, row, key, plane.k + own * params.kSteps.z, plane.v + own * params.vSteps.z);
  }
  if (number >= params.items) { return; }
  for (var r = 0u; r < ROWS && row + r < params.rows; r++) {
    let at = startOf(plane, row + r, params.ySteps);
    let factor = factorOf(plane, row + r, tops[r], totals[r]);
    for (var c = 0u; c < V_QUADS; c++) { storeQuad(at, c, sums[r * V_QUADS + c] * factor); }
  }
}
