// The gradient of pooling: each input gathers the gradients of the windows that it counts for, so that no two invocations
// write one element.
//
// dy  [planes, outDepth, outHeight, outWidth], planes being [batch, channels]
// dx  [planes, inDepth, inHeight, inWidth], written by `store` (in front of this text)
// Every invocation owns four columns of one input row. In front of this text:
//   counts(at: vec4u, tap: vec4i) -> vec4<bool>  whether these taps count for four windows, which lie at `at` in dy

struct Params {
  inWidth: i32, inHeight: i32, inDepth: i32, padX: i32, padY: i32, padZ: i32,
  outWidth: i32, outHeight: i32, outDepth: i32,
  kernelX: i32, kernelY: i32, kernelZ: i32,
  strideX: i32, strideY: i32, strideZ: i32,
  dilationX: i32, dilationY: i32, dilationZ: i32,
  windowsX: i32, windowsY: i32, windowsZ: i32, // that an input lies between the ends of, at most
  rowQuads: u32, channels: u32, invocations: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

// A window along an axis and which of its taps an input is, that being below 0 where it is none.
struct Met { window: i32, tap: i32 }

fn met(at: i32, back: i32, stride: i32, dilation: i32, kernel: i32, windows: i32) -> Met {
  let window = at / stride - back;
  let reach = at - window * stride;
  let tap = reach / dilation;
  let is = window >= 0 && window < windows && tap < kernel && tap * dilation == reach;
  return Met(window, select(-1, tap, is));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let row = id / params.rowQuads; // [plane][inDepth][inHeight]
  let slice = i32(row) / params.inHeight;
  let plane = slice / params.inDepth;
  let ix = 4u * (id - row * params.rowQuads);
  let z = slice - plane * params.inDepth + params.padZ;
  let y = i32(row) - slice * params.inHeight + params.padY;
  let x = i32(ix) + vec4i(0, 1, 2, 3) + params.padX;
  let lastX = x / params.strideX;

  var sum = vec4f();
  for (var backZ = 0; backZ < params.windowsZ; backZ++) {
    let oz = met(z, backZ, params.strideZ, params.dilationZ, params.kernelZ, params.outDepth);
    if (oz.tap < 0) { continue; }
    for (var backY = 0; backY < params.windowsY; backY++) {
      let oy = met(y, backY, params.strideY, params.dilationY, params.kernelY, params.outHeight);
      if (oy.tap < 0) { continue; }
      let start = ((plane * params.outDepth + oz.window) * params.outHeight + oy.window) * params.outWidth;
      let line = (oz.tap * params.kernelY + oy.tap) * params.kernelX;
      for (var backX = 0; backX < params.windowsX; backX++) {
        let ox = lastX - backX;
        let reach = x - ox * params.strideX;
        let tap = reach / params.dilationX;
        let exists = (ox >= vec4i(0)) & (ox < vec4i(params.outWidth)) & (tap < vec4i(params.kernelX))
          & (tap * params.dilationX == reach);
        let at = vec4u(start + clamp(ox, vec4i(0), vec4i(params.outWidth - 1)));
        let kept = exists & counts(at, line + tap);
        sum += select(vec4f(), vec4f(vec4<elem>(dy[at.x], dy[at.y], dy[at.z], dy[at.w])), kept);
      }
    }
  }
  store(row * u32(params.inWidth) + ix, u32(params.inWidth) - ix, u32(plane) % params.channels, sum);
}
