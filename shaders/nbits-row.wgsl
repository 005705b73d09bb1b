// One float row times quantised weights that are dequantised in registers, without staging: for adapters that are a CPU.
// Stands behind the text of nbits/text.ts and nbits/packed.ts, which declare the operands and
//   rowQuad(quad, lane) -> vec4f         four elements of the row, 0 past k
//   weights[step * quads + columnQuad]   four columns of STEP_QUADS quads of k, as nbits-pack.wgsl leaves them
//   firstHalf(word) -> vec4f             the numbers of (half) a word, each with those below it in the word still in it
//   secondHalf(words) -> vec4u           words whose first half is the second one
//   apart(sums) -> vec4f                 takes them apart again, once for all k
//   scalesAt(at), zerosAt(at) -> vec4f   of four columns of one block
//   store(row, column, v)                four columns of one row
// and the entry point, which calls `run`.
//
// A number is cut from its word by a mask alone: what lies below it adds the same number to the sum as its neighbour's
// own sum says, so it is subtracted there. Every invocation owns COLUMN_QUADS quads of columns.

override LANES: u32 = 16u;
override COLUMN_QUADS: u32 = 2u; // 1, 2 or 4

fn times(w: vec4u, v: vec4f, sums: vec4f) -> vec4f {
  let s = fma(firstHalf(w.y), vec4f(v.y), fma(firstHalf(w.x), vec4f(v.x), sums));
  return fma(firstHalf(w.w), vec4f(v.w), fma(firstHalf(w.z), vec4f(v.z), s));
}

/** A block's share of four columns: the products with the numbers less their zero point, times the scale. */
fn share(at: u32, sums: vec4f, rowSum: f32) -> vec4f {
  return scalesAt(at) * (apart(sums) - zerosAt(at) * rowSum);
}

/** @param lane of the quad of invocations, where those share what they load */
fn run(number: u32, local: u32, lane: u32) {
  if (number >= params.workgroups) { return; }
  let quads = (params.n + 3u) / 4u;
  let first = number * LANES * COLUMN_QUADS + local;
  let c0 = min(first, quads - 1u);
  let c1 = min(first + LANES, quads - 1u);
  let c2 = min(first + 2u * LANES, quads - 1u);
  let c3 = min(first + 3u * LANES, quads - 1u);
  var y0: vec4f; var y1: vec4f; var y2: vec4f; var y3: vec4f;
  for (var block = 0u; block < params.blocks; block++) {
    var s0 = vec4f(); var s1 = vec4f(); var s2 = vec4f(); var s3 = vec4f();
    var rowSums = vec4f();
    let end = min((block + 1u) * params.stepsPerBlock, params.steps);
    for (var step = block * params.stepsPerBlock; step < end; step++) {
      let at = step * quads;
      let v = rowQuad(STEP_QUADS * step, lane);
      let w0 = weights[at + c0];
      s0 = times(w0, v, s0);
      rowSums += v;
      var u = vec4f();
      if (STEP_QUADS == 2u) {
        u = rowQuad(2u * step + 1u, lane);
        s0 = times(secondHalf(w0), u, s0);
        rowSums += u;
      }
      if (COLUMN_QUADS > 1u) {
        let w1 = weights[at + c1];
        s1 = times(w1, v, s1);
        if (STEP_QUADS == 2u) { s1 = times(secondHalf(w1), u, s1); }
      }
      if (COLUMN_QUADS > 2u) {
        let w2 = weights[at + c2];
        let w3 = weights[at + c3];
        s2 = times(w2, v, s2);
        s3 = times(w3, v, s3);
        if (STEP_QUADS == 2u) {
          s2 = times(secondHalf(w2), u, s2);
          s3 = times(secondHalf(w3), u, s3);
        }
      }
    }
    let rowSum = dot(rowSums, vec4f(1.0));
    y0 += share(block * quads + c0, s0, rowSum);
    if (COLUMN_QUADS > 1u) { y1 += share(block * quads + c1, s1, rowSum); }
    if (COLUMN_QUADS > 2u) {
      y2 += share(block * quads + c2, s2, rowSum);
      y3 += share(block * quads + c3, s3, rowSum);
    }
  }
  store(0u, 4u * first, y0);
  if (COLUMN_QUADS > 1u) { store(0u, 4u * (first + LANES), y1); }
  if (COLUMN_QUADS > 2u) {
    store(0u, 4u * (first + 2u * LANES), y2);
    store(0u, 4u * (first + 3u * LANES), y3);
  }
}
