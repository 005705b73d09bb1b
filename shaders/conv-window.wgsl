// How convolutions read their input: the walk over taps and channels, and what one tap meets. Stands beside a
// struct Params with a window's sizes, such as that of conv-tile.wgsl.
//
// x  [batch, groups * channels, depth, height, width]

@group(0) @binding(0) var<storage, read> x: array<elem>;

override TRANSPOSED: bool = false;
override POINTWISE: bool = false; // a 1×1 kernel whose output pixels are the input's; x is [planes, channels, inputStep]

// The input that one tap meets at four outputs, and whether there is any.
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

// Four output pixels of one plane: numbers, rows, columns and their depth.
struct Pixels { at: vec4i, oy: vec4i, ox: vec4i, oz: i32 }

fn pixelsAt(first: u32, oz: u32) -> Pixels {
  let p = vec4i(first + vec4u(0u, 1u, 2u, 3u));
  // One division for all: pixels behind the first lie at most three rows further on.
  var oy = vec4i(p.x / params.outWidth);
  var ox = p - oy * params.outWidth;
  for (var rows = 0; rows < 3; rows++) {
    let over = vec4i(ox >= vec4i(params.outWidth));
    ox -= over * params.outWidth;
    oy += over;
  }
  return Pixels(p, oy, ox, i32(oz));
}

// `at` is the offset in a channel.
fn meetPixels(p: Pixels, k: vec4i) -> Meeting {
  if (POINTWISE) { return Meeting(min(p.at, vec4i(i32(params.inputStep) - 1)), vec4<bool>(true)); }
  let z = meet(vec4i(p.oz), k.z * params.dilationZ - params.padZ, params.strideZ, params.inDepth);
  let y = meet(p.oy, k.y * params.dilationY - params.padY, params.strideY, params.inHeight);
  let x = meet(p.ox, k.x * params.dilationX - params.padX, params.strideX, params.inWidth);
  return Meeting((z.at * params.inHeight + y.at) * params.inWidth + x.at, z.exists & y.exists & x.exists);
}

// Where the walk over taps and input channels stands: k is the tap (x, y, z), c the first of four channels.
struct Walk { k: vec4i, c: u32 }

fn next(at: Walk) -> Walk {
  let over = at.c + 4u >= params.channels;
  let kx = at.k.x + select(0, 1, over);
  let overX = kx == params.kernelX;
  let ky = at.k.y + select(0, 1, overX);
  let overY = ky == params.kernelY;
  return Walk(
    vec4i(select(kx, 0, overX), select(ky, 0, overY), at.k.z + select(0, 1, overY), 0), select(at.c + 4u, 0u, over));
}

fn walkSteps() -> u32 {
  return u32(params.kernelX * params.kernelY * params.kernelZ) * ((params.channels + 3u) / 4u);
}

fn load4(at: vec4u, exists: vec4<bool>) -> vec4f {
  return select(vec4f(), vec4f(vec4<elem>(x[at.x], x[at.y], x[at.z], x[at.w])), exists);
}

// Four pixels of channels c to c + 3 (the last one again where there are fewer: its weights are zero).
fn load16(pixels: Meeting, x0: u32, c: u32) -> mat4x4f {
  let channels = x0 + min(c + vec4u(0u, 1u, 2u, 3u), vec4u(params.channels - 1u)) * params.inputStep;
  let at = vec4u(pixels.at);
  return mat4x4f(
    load4(at + channels.x, pixels.exists), load4(at + channels.y, pixels.exists),
    load4(at + channels.z, pixels.exists), load4(at + channels.w, pixels.exists));
}
