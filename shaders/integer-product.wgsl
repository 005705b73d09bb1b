// Convolution of 8-bit integers with sums in i32, exact but for wrapping: y = sum (x - xZero) * (w - wZero), where
// padding counts as xZero. Matrix products are convolutions with one tap.
//
// x        words of four channels, as integer-pack-pixels.wgsl leaves them (declared by conv-window.wgsl)
// weights  words of four channels of four outputs, as integer-pack-weights.wgsl leaves them
// y        [images, groups * groupOut, depth, pixels], written by `store(index, lanes, output, pixel, v)` (in front)
//          with what is fused, `lanes` pixels at most
// `xZeroAt(i)` and `wZeroAt(i)` (in front) are the zero points, of which there are xZeros and wZeros: they follow
// the input's pixels, group by group, and the outputs.
// `open(word) -> bytes4` makes four bytes ready, `product(bytes4, bytes4)` sums their products, as `sum4` has them:
// i32, or f32, which holds the sum of a ROUND of steps exactly.
//
// An invocation owns four pixels by 4 * OUTPUT_QUADS outputs. The sum of products of the raw bytes is put right
// at the end: sum (x - a)(w - b) = sum xw - a sum w - b sum x + ab * count.

struct Params {
  inWidth: i32, inHeight: i32, inDepth: i32, inputStep: u32,
  outWidth: i32, outDepth: u32, pixels: u32, outputStep: u32,
  kernelX: i32, kernelY: i32, kernelZ: i32, channels: u32,
  strideX: i32, strideY: i32, strideZ: i32, groups: u32,
  dilationX: i32, dilationY: i32, dilationZ: i32, groupOut: u32,
  padX: i32, padY: i32, padZ: i32, outputQuads: u32,
  pixelTiles: u32, channelTiles: u32, tiles: u32, xZeros: u32, wZeros: u32,
}

@group(0) @binding(1) var<storage, read> weights: array<vec4u>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override OUTPUT_QUADS: u32 = 1u; // 1 or 2
/** Steps between which sums are taken over into i32: for f32 at most 256, as 256 * 4 * 128 * 128 = 2^24. */
override ROUND: u32 = 256u;
/** Whether either zero point may be other than 0. */
override X_ZERO: bool = true;
override W_ZERO: bool = true;

const ones = 0x01010101u;

fn opened(words: vec4u) -> array<bytes4, 4> {
  return array<bytes4, 4>(open(words.x), open(words.y), open(words.z), open(words.w));
}

/** One output of four pixels. */
fn products(x: array<bytes4, 4>, w: bytes4) -> sum4 {
  return sum4(product(x[0], w), product(x[1], w), product(x[2], w), product(x[3], w));
}

fn sums(v: array<bytes4, 4>) -> sum4 {
  return products(v, open(ones));
}

struct Tile { pixel: u32, output: u32, plane: u32, group: u32, oz: u32 }

fn tileOf(id: u32) -> Tile {
  let tiles = params.pixelTiles * params.channelTiles;
  let group = id / tiles % params.groups;
  let plane = id / (tiles * params.groups);
  return Tile(
    4u * (id % params.pixelTiles), 4u * OUTPUT_QUADS * (id / params.pixelTiles % params.channelTiles),
    plane / params.outDepth * params.groups + group, group, plane % params.outDepth);
}

/** Stores output `m` of a group, whose raw sums are `v`: for four pixels, with their zero points and sums. */
fn finish(tile: Tile, m: u32, v: vec4i, wSum: i32, xZero: vec4i, xSum: vec4i) {
  if (m >= params.groupOut) { return; }
  var r = v;
  if (X_ZERO) { r -= xZero * wSum; }
  if (W_ZERO) {
    let zero = wZeroAt((tile.group * params.groupOut + m) % params.wZeros);
    r -= zero * xSum;
    if (X_ZERO) {
      let taps = params.kernelX * params.kernelY * params.kernelZ;
      r += zero * xZero * (taps * i32(params.channels));
    }
  }
  let index = (tile.plane * params.groupOut + m) * params.outputStep + tile.oz * params.pixels + tile.pixel;
  store(index, params.pixels - tile.pixel, tile.group * params.groupOut + m, tile.pixel, r);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.tiles) { return; }
  let tile = tileOf(id);
  let pixels = pixelsAt(tile.pixel, tile.oz);
  var xZero: vec4i;
  if (X_ZERO) {
    let at = vec4u(tile.plane * params.inputStep + tile.pixel) + vec4u(0u, 1u, 2u, 3u);
    for (var lane = 0u; lane < 4u; lane++) { xZero[lane] = xZeroAt(at[lane] % params.xZeros); }
  }
  let outside = (vec4u(xZero) & vec4u(0xffu)) * ones;

  let quads = (params.channels + 3u) / 4u;
  let steps = walkSteps();
  let firstQuad = tile.output / 4u;
  let w0 = (tile.group * params.outputQuads + firstQuad) * steps;
  // A second quad past the last one repeats it, and is not stored.
  let w1 = (tile.group * params.outputQuads + min(firstQuad + 1u, params.outputQuads - 1u)) * steps;
  var s0: vec4i; var s1: vec4i; var s2: vec4i; var s3: vec4i;
  var s4: vec4i; var s5: vec4i; var s6: vec4i; var s7: vec4i;
  var xSum: vec4i; var wSum0: vec4i; var wSum1: vec4i;
  var at: Walk;
  for (var step = 0u; step < steps;) {
    let end = min(step + ROUND, steps);
    // Set by hand: Dawn on SwiftShader was seen to keep the last round's values in variables without an initialiser.
    var t0 = sum4(); var t1 = sum4(); var t2 = sum4(); var t3 = sum4();
    var t4 = sum4(); var t5 = sum4(); var t6 = sum4(); var t7 = sum4();
    var x0 = sum4(); var v0 = sum4(); var v1 = sum4();
    for (; step < end; step++) {
      let meeting = meetPixels(pixels, at.k);
      let p = vec4u(meeting.at) + (tile.plane * quads + at.c / 4u) * params.inputStep;
      // Of padding too, channels that are not there read as 0.
      let padding = outside & vec4u(0xffffffffu >> (8u * (4u - min(4u, params.channels - at.c))));
      let X = opened(select(padding, vec4u(x[p.x], x[p.y], x[p.z], x[p.w]), meeting.exists));
      let W = opened(weights[w0 + step]);
      t0 += products(X, W[0]);
      t1 += products(X, W[1]);
      t2 += products(X, W[2]);
      t3 += products(X, W[3]);
      if (X_ZERO) { v0 += sums(W); }
      if (W_ZERO) { x0 += sums(X); }
      if (OUTPUT_QUADS == 2u) {
        let V = opened(weights[w1 + step]);
        t4 += products(X, V[0]);
        t5 += products(X, V[1]);
        t6 += products(X, V[2]);
        t7 += products(X, V[3]);
        if (X_ZERO) { v1 += sums(V); }
      }
      at = next(at);
    }
    s0 += vec4i(t0); s1 += vec4i(t1); s2 += vec4i(t2); s3 += vec4i(t3);
    s4 += vec4i(t4); s5 += vec4i(t5); s6 += vec4i(t6); s7 += vec4i(t7);
    xSum += vec4i(x0); wSum0 += vec4i(v0); wSum1 += vec4i(v1);
  }
  var raw = array<vec4i, 8>(s0, s1, s2, s3, s4, s5, s6, s7);
  var wSums = array<vec4i, 2>(wSum0, wSum1);
  for (var m = 0u; m < 4u * OUTPUT_QUADS; m++) {
    finish(tile, tile.output + m, raw[m], wSums[m / 4u][m % 4u], xZero, xSum);
  }
}
