// Softmax while the keys go by, for four rows at a time, and the store of four rows of the result. Follows
// attention-common.wgsl. `storeQuad(at, c, v)` (in front) writes quad c of the line that starts at element `at`.

/** The largest score of each row of a block, or `least`. */
fn topsOf(s: mat4x4f) -> vec4f {
  let t = transpose(s);
  return max(max(max(t[0], t[1]), max(t[2], t[3])), vec4f(least));
}

fn weightsOf(s: vec4f, top: f32) -> vec4f {
  return select(exp(s - top), vec4f(), s < vec4f(least));
}

/** Exponentials of a block of scores above each row's `tops`; zero where hidden. */
fn weights(s: mat4x4f, tops: vec4f) -> mat4x4f {
  return mat4x4f(
    weightsOf(s[0], tops.x), weightsOf(s[1], tops.y), weightsOf(s[2], tops.z), weightsOf(s[3], tops.w));
}

fn sumsOf(p: mat4x4f) -> vec4f {
  let t = transpose(p);
  return t[0] + t[1] + t[2] + t[3];
}

fn scaleColumns(a: mat4x4f, by: vec4f) -> mat4x4f {
  return mat4x4f(a[0] * by.x, a[1] * by.y, a[2] * by.z, a[3] * by.w);
}

/** What a row's weighted sum is multiplied by. A row that sees no key has a sum of zero, any other one of at least 1. */
fn factorOf(plane: Plane, row: u32, top: f32, sum: f32) -> f32 {
  if (SINK) {
    let sink = sinkOf(headOf(plane, row));
    let highest = max(top, sink);
    let kept = exp(top - highest);
    return kept / (sum * kept + exp(sink - highest));
  }
  return 1.0 / max(sum, 0.5);
}

/** Quad c of four rows' results, from their weighted sums of values. */
fn storeRows(plane: Plane, row: u32, c: u32, sums: mat4x4f, tops: vec4f, totals: vec4f) {
  if (4u * c >= params.valueDepth) { return; }
  var lines = sums;
  var highest = tops;
  var total = totals;
  for (var r = 0u; r < 4u && row + r < params.rows; r++) {
    let at = startOf(plane, row + r, params.ySteps);
    storeQuad(at, c, lines[r] * factorOf(plane, row + r, highest[r], total[r]));
  }
}
