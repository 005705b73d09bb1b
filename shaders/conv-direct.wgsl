// Convolution, also transposed, by register tiles without staging: for adapters where workgroup memory
// costs as much as storage. Any kernel, stride, dilation, padding and group; 1-D to 3-D.
//
// x        [batch, groups * channels, depth, height, width]
// weights  as conv-pack.wgsl leaves them, bias behind, from quad biasAt on
// y        [batch, groups * groupOut, depth, height, width], written by `store` (in front of this text)
// A plane is one image at one output depth; its pixels are numbered along rows. Every invocation owns
// 4 * PIXEL_QUADS pixels of 4 * CHANNEL_QUADS outputs of one group, tiles of pixels running fastest.
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
  biasAt: u32, pixelTiles: u32, channelTiles: u32, invocations: u32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> weights: array<elem4>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override PIXEL_QUADS: u32 = 1u; // 1 or 2
override CHANNEL_QUADS: u32 = 1u; // 1, 2, or 4 with one pixel quad
override TRANSPOSED: bool = false;

// The inputs that one tap meets at four outputs, and whether there are any.
struct Meeting { at: vec4i, exists: vec4<bool> }

// Along one axis: `tap` is k * dilation - pad.
fn meet(o: vec4i, tap: i32, stride: i32, size: i32) -> Meeting {
  var at = o * stride + tap;
  var exists = vec4<bool>(true);
  if (TRANSPOSED) {
    at = (o - tap) / stride;
    exists = at * stride == o - tap;
  }
  let clamped = clamp(at, vec4i(0), vec4i(size - 1));
  return Meeting(clamped, exists & (clamped == at));
}

fn meetRow(oy: vec4i, ky: i32) -> Meeting {
  return meet(oy, ky * params.dilationY - params.padY, params.strideY, params.inHeight);
}

// `at` is the offset in the plane.
fn meetPixels(row: Meeting, ox: vec4i, kx: i32) -> Meeting {
  let column = meet(ox, kx * params.dilationX - params.padX, params.strideX, params.inWidth);
  return Meeting(row.at * params.inWidth + column.at, row.exists & column.exists);
}

fn load4(at: vec4u, exists: vec4<bool>) -> vec4f {
  return select(vec4f(), vec4f(vec4<elem>(x[at.x], x[at.y], x[at.z], x[at.w])), exists);
}

fn load16(pixels: Meeting, channels: vec4u) -> mat4x4f {
  let at = vec4u(pixels.at);
  return mat4x4f(
    load4(at + channels.x, pixels.exists), load4(at + channels.y, pixels.exists),
    load4(at + channels.z, pixels.exists), load4(at + channels.w, pixels.exists));
}

fn weights16(at: u32) -> mat4x4f {
  return mat4x4f(vec4f(weights[at]), vec4f(weights[at + 1u]), vec4f(weights[at + 2u]), vec4f(weights[at + 3u]));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let pixel = 4u * PIXEL_QUADS * (id % params.pixelTiles);
  let quad = CHANNEL_QUADS * (id / params.pixelTiles % params.channelTiles);
  let group = id / (params.pixelTiles * params.channelTiles) % params.groups;
  let plane = id / (params.pixelTiles * params.channelTiles * params.groups);
  let image = plane / params.outDepth;
  let oz = plane % params.outDepth;

  let p0 = vec4i(pixel + vec4u(0u, 1u, 2u, 3u));
  let oy0 = p0 / params.outWidth;
  let ox0 = p0 - oy0 * params.outWidth;
  let oy1 = (p0 + 4) / params.outWidth;
  let ox1 = (p0 + 4) - oy1 * params.outWidth;
  let x0 = (image * params.groups + group) * params.channels * params.inputStep;
  let rowQuads = 4u * params.outputQuads;
  let tapQuads = (params.channels + 3u) / 4u * rowQuads;
  var t0: mat4x4f; var t1: mat4x4f; var t2: mat4x4f; var t3: mat4x4f;
  for (var kz = 0; kz < params.kernelZ; kz++) {
    let slice = meet(vec4i(i32(oz)), kz * params.dilationZ - params.padZ, params.strideZ, params.inDepth);
    if (!slice.exists.x) { continue; }
    let xz = x0 + u32(slice.at.x * params.inHeight * params.inWidth);
    for (var ky = 0; ky < params.kernelY; ky++) {
      let r0 = meetRow(oy0, ky);
      var r1: Meeting;
      if (PIXEL_QUADS == 2u) { r1 = meetRow(oy1, ky); }
      if (!any(r0.exists | r1.exists)) { continue; }
      for (var kx = 0; kx < params.kernelX; kx++) {
        let m0 = meetPixels(r0, ox0, kx);
        var m1: Meeting;
        if (PIXEL_QUADS == 2u) { m1 = meetPixels(r1, ox1, kx); }
        let tap = u32((kz * params.kernelY + ky) * params.kernelX + kx);
        let taps = u32(params.kernelX * params.kernelY * params.kernelZ);
        var w = (group * taps + tap) * tapQuads + 4u * quad;
        for (var c = 0u; c < params.channels; c += 4u) {
          let channels = xz + min(c + vec4u(0u, 1u, 2u, 3u), vec4u(params.channels - 1u)) * params.inputStep;
          let X0 = load16(m0, channels);
          let W0 = weights16(w);
          t0 += X0 * W0;
          if (CHANNEL_QUADS == 4u) {
            t1 += X0 * weights16(w + 4u);
            t2 += X0 * weights16(w + 8u);
            t3 += X0 * weights16(w + 12u);
          } else if (CHANNEL_QUADS == 2u) {
            let W1 = weights16(w + 4u);
            t1 += X0 * W1;
            if (PIXEL_QUADS == 2u) {
              let X1 = load16(m1, channels);
              t2 += X1 * W0;
              t3 += X1 * W1;
            }
          } else if (PIXEL_QUADS == 2u) {
            t1 += load16(m1, channels) * W0;
          }
          w += rowQuads;
        }
      }
    }
  }

  let y0 = (image * params.groups + group) * params.groupOut * params.outputStep + oz * params.pixels;
  var tiles = array<mat4x4f, 4>(t0, t1, t2, t3);
  for (var t = 0u; t < PIXEL_QUADS * CHANNEL_QUADS; t++) {
    let first = pixel + 4u * (t / CHANNEL_QUADS);
    let outputs = quad + t % CHANNEL_QUADS;
    if (first >= params.pixels || outputs >= params.outputQuads) { continue; }
    var bias = vec4f(weights[params.biasAt + group * params.outputQuads + outputs]);
    for (var j = 0u; j < min(4u, params.groupOut - 4u * outputs); j++) {
      let m = 4u * outputs + j;
      store(y0 + m * params.outputStep + first, params.pixels - first, group * params.groupOut + m, tiles[t][j] + bias[j]);
    }
  }
}
