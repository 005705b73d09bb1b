// What all convolutions but the depthwise one share (this text goes in front of theirs): parameters, the
// packed weights, where a tile lies, and how it is stored.
//
// weights  as conv-pack.wgsl leaves them, bias behind, from quad biasAt on
// y        [batch, groups * groupOut, depth, height, width], written by `store` (in front of this text)
// A plane is one image at one output depth; its pixels are numbered along rows. A tile is some quads of
// pixels by some quads of outputs of one group; tiles of pixels run fastest, then outputs, groups, planes.
//
// A step takes four input channels of one tap: X holds four pixels of each (a column a channel), W the
// weights of four outputs (a column an output), so X * W are four pixels of four outputs.

struct Params {
  inWidth: i32, inHeight: i32, inDepth: i32, inputStep: u32,
  outWidth: i32, outDepth: u32, pixels: u32, outputStep: u32,
  kernelX: i32, kernelY: i32, kernelZ: i32, channels: u32,
  strideX: i32, strideY: i32, strideZ: i32, groups: u32,
  dilationX: i32, dilationY: i32, dilationZ: i32, groupOut: u32,
  padX: i32, padY: i32, padZ: i32, outputQuads: u32,
  biasAt: u32, pixelTiles: u32, channelTiles: u32, tiles: u32,
}

@group(0) @binding(1) var<storage, read> weights: array<elem4>;
@group(0) @binding(3) var<uniform> params: Params;

// First pixel and first quad of outputs.
struct Place { pixel: u32, quad: u32, group: u32, image: u32, oz: u32 }

fn place(id: u32, pixelQuads: u32, channelQuads: u32) -> Place {
  // Remainders by products: a division takes a software adapter as long as several loads.
  let line = id / params.pixelTiles;
  let part = line / params.channelTiles;
  let plane = part / params.groups;
  let image = plane / params.outDepth;
  return Place(
    4u * pixelQuads * (id - line * params.pixelTiles), channelQuads * (line - part * params.channelTiles),
    part - plane * params.groups, image, plane - image * params.outDepth);
}

override BIAS: bool = true; // false where what becomes of the sums adds it

fn biasAt(group: u32, quad: u32) -> vec4f {
  if (!BIAS) { return vec4f(); }
  return vec4f(weights[params.biasAt + group * params.outputQuads + quad]);
}

fn weights16(at: u32) -> mat4x4f {
  return mat4x4f(vec4f(weights[at]), vec4f(weights[at + 1u]), vec4f(weights[at + 2u]), vec4f(weights[at + 3u]));
}

// `tiles` holds the sums of one invocation, by pixel quad, then by channel quad; its quads lie pixelStride
// and channelStride quads apart, from `at` on.
fn storeTiles(tiles: array<mat4x4f, 4>, at: Place, pixelQuads: u32, channelQuads: u32, pixelStride: u32, channelStride: u32) {
  var v = tiles;
  let y0 = (at.image * params.groups + at.group) * params.groupOut * params.outputStep + at.oz * params.pixels;
  for (var t = 0u; t < pixelQuads * channelQuads; t++) {
    let pixel = at.pixel + 4u * pixelStride * (t / channelQuads);
    let quad = at.quad + channelStride * (t % channelQuads);
    if (pixel >= params.pixels || quad >= params.outputQuads) { continue; }
    var bias = biasAt(at.group, quad);
    for (var j = 0u; j < min(4u, params.groupOut - 4u * quad); j++) {
      let m = 4u * quad + j;
      store(y0 + m * params.outputStep + pixel, params.pixels - pixel, at.group * params.groupOut + m, v[t][j] + bias[j]);
    }
  }
}
