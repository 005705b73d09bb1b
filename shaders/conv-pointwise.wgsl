// The pixels of a 1×1 convolution with stride 1 for conv-staged.wgsl, which stands in front: they are
// contiguous, so quads of them are copied whole.
//
// x  [planes, groups * channels, inputStep], inputStep at least params.pixels, read through `loadPixels(at)` (in
//    front), which gives four pixels

override LINE: u32 = SIDE * PIXEL_QUADS;
override PIXEL_LINES: u32 = STAGE * 4u * LINE;

var<workgroup> xs: array<vec4f, PIXEL_LINES>; // [channel][pixel quad]
var<private> x0: u32;

fn walkSteps() -> u32 { return (params.channels + 3u) / 4u; }

fn startPixels(tile: Place, local: u32) {
  let plane = tile.image * params.outDepth + tile.oz;
  x0 = (plane * params.groups + tile.group) * params.channels * params.inputStep + tile.pixel;
}

fn fillPixels(first: u32, steps: u32, local: u32) {
  for (var u = local; u < PIXEL_LINES; u += INVOCATIONS) {
    let channel = 4u * first + u / LINE;
    let value = loadPixels(x0 + min(channel, params.channels - 1u) * params.inputStep + 4u * (u % LINE));
    xs[u] = select(vec4f(), value, channel < params.channels);
  }
}

fn stagedPixels(step: u32, quad: u32) -> mat4x4f {
  let line = step * 4u * LINE + quad;
  return mat4x4f(xs[line], xs[line + LINE], xs[line + 2u * LINE], xs[line + 3u * LINE]);
}
