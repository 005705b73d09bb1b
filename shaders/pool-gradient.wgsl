// The gradient of pooling: each input gathers the gradients of the windows that it counts for, so that no two invocations
// write one element.
//
// dy  [planes, outDepth, outHeight, outWidth], planes being [batch, channels]
// dx  [planes, inDepth, inHeight, inWidth], written by `store` (in front of this text)
// Every invocation owns four columns of one input row. In front of this text or behind it:
//   startLanes(at: vec4u)                            tells which inputs they are
//   counts(o: Windows, wanted: vec4<bool>) -> vec4<bool>  whether they count for four windows, where that is wanted

struct Params {
  inWidth: i32, inHeight: i32, inDepth: i32, padX: i32, padY: i32, padZ: i32,
  outWidth: i32, outHeight: i32, outDepth: i32,
  kernelX: i32, kernelY: i32, kernelZ: i32,
  strideX: i32, strideY: i32, strideZ: i32,
  dilationX: i32, dilationY: i32, dilationZ: i32,
  rowQuads: u32, channels: u32, invocations: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

// Four windows of one row, the tap of theirs that the inputs are, and where they lie in dy.
struct Windows { plane: i32, z: i32, y: i32, x: vec4i, tap: vec3i, at: vec4u }

// The window of which element `at` is tap `tap`, along an axis; its number is below 0 where there is none.
fn windowOf(at: i32, tap: i32, stride: i32, count: i32) -> i32 {
  let reach = at - tap;
  let o = reach / stride;
  return select(-1, o, reach >= 0 && o * stride == reach && o < count);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let row = id / params.rowQuads; // [plane][inDepth][inHeight]
  let slice = i32(row) / params.inHeight;
  let plane = slice / params.inDepth;
  let ix = 4u * (id - row * params.rowQuads);
  let first = row * u32(params.inWidth) + ix;
  let left = u32(params.inWidth) - ix;
  startLanes(first + min(vec4u(0u, 1u, 2u, 3u), vec4u(left - 1u)));
  let z = slice - plane * params.inDepth + params.padZ;
  let y = i32(row) - slice * params.inHeight + params.padY;
  let x = i32(ix) + vec4i(0, 1, 2, 3) + params.padX;

  var sum = vec4f();
  for (var kz = 0; kz < params.kernelZ; kz++) {
    let oz = windowOf(z, kz * params.dilationZ, params.strideZ, params.outDepth);
    if (oz < 0) { continue; }
    for (var ky = 0; ky < params.kernelY; ky++) {
      let oy = windowOf(y, ky * params.dilationY, params.strideY, params.outHeight);
      if (oy < 0) { continue; }
      let start = ((plane * params.outDepth + oz) * params.outHeight + oy) * params.outWidth;
      for (var kx = 0; kx < params.kernelX; kx++) {
        let reach = x - kx * params.dilationX;
        let ox = reach / params.strideX;
        let exists = (reach >= vec4i(0)) & (ox * params.strideX == reach) & (ox < vec4i(params.outWidth));
        if (!any(exists)) { continue; }
        let at = vec4u(start + select(vec4i(), ox, exists));
        let kept = counts(Windows(plane, oz, oy, ox, vec3i(kx, ky, kz), at), exists);
        sum += select(vec4f(), vec4f(vec4<elem>(dy[at.x], dy[at.y], dy[at.z], dy[at.w])), kept);
      }
    }
  }
  store(first, left, u32(plane) % params.channels, sum);
}
