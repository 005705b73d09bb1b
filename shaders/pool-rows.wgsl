// Pooling of floats over 1 to 3 axes without positions: the largest element or the average of each window.
//
// x  [planes, inDepth, inHeight, inWidth]
// y  [planes, outDepth, outHeight, outWidth], written by `store` (in front of this text); planes are
//    [batch, channels]
// Every invocation owns four columns of one output row.

struct Params {
  inWidth: i32, inHeight: i32, inDepth: i32, padX: i32, padY: i32, padZ: i32,
  endX: i32, endY: i32, endZ: i32, // input size and padding behind it
  outWidth: u32, outHeight: u32, outDepth: u32,
  kernelX: i32, kernelY: i32, kernelZ: i32,
  strideX: i32, strideY: i32, strideZ: i32,
  dilationX: i32, dilationY: i32, dilationZ: i32,
  rowQuads: u32, channels: u32, countPadding: u32, invocations: u32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override AVERAGE: bool = false;
override PAIRS: bool = false; // the largest of windows of 2×2 with stride 2, all of them within the input

fn larger(best: vec4f, v: vec4f) -> vec4f { return select(best, v, v > best); }

// The larger of neighbours among the eight columns from `at` on; the last column again behind the end of the row.
fn pairs(at: u32, left: u32) -> vec4f {
  let a = at + min(vec4u(0u, 1u, 2u, 3u), vec4u(left));
  let b = at + min(vec4u(4u, 5u, 6u, 7u), vec4u(left));
  return larger(
    vec4f(vec4<elem>(x[a.x], x[a.z], x[b.x], x[b.z])), vec4f(vec4<elem>(x[a.y], x[a.w], x[b.y], x[b.w])));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let row = id / params.rowQuads; // [plane][outDepth][outHeight]
  let slice = row / params.outHeight;
  let plane = slice / params.outDepth;
  let ox = 4u * (id - row * params.rowQuads);
  if (PAIRS) {
    let at = (plane * u32(params.inHeight) + 2u * (row - plane * params.outHeight)) * u32(params.inWidth) + 2u * ox;
    let left = u32(params.inWidth) - 1u - 2u * ox;
    let best = larger(pairs(at, left), pairs(at + u32(params.inWidth), left));
    store(row * params.outWidth + ox, params.outWidth - ox, plane % params.channels, best);
    return;
  }
  let ix = (i32(ox) + vec4i(0, 1, 2, 3)) * params.strideX - params.padX;
  let iy = i32(row - slice * params.outHeight) * params.strideY - params.padY;
  let iz = i32(slice - plane * params.outDepth) * params.strideZ - params.padZ;
  let x0 = i32(plane) * params.inDepth;
  let padded = params.countPadding == 1u;

  var best = vec4f();
  var found = vec4<bool>();
  var sum = vec4f();
  var taps = vec4f();
  for (var kz = 0; kz < params.kernelZ; kz++) {
    let z = iz + kz * params.dilationZ;
    let hasZ = z >= 0 && z < params.inDepth;
    for (var ky = 0; ky < params.kernelY; ky++) {
      let y = iy + ky * params.dilationY;
      let hasRow = hasZ && y >= 0 && y < params.inHeight;
      let start = ((x0 + clamp(z, 0, params.inDepth - 1)) * params.inHeight + clamp(y, 0, params.inHeight - 1)) * params.inWidth;
      for (var kx = 0; kx < params.kernelX; kx++) {
        let wanted = ix + kx * params.dilationX;
        let column = clamp(wanted, vec4i(0), vec4i(params.inWidth - 1));
        let exists = (column == wanted) & vec4<bool>(hasRow);
        let at = vec4u(start + column);
        let v = vec4f(vec4<elem>(x[at.x], x[at.y], x[at.z], x[at.w]));
        if (AVERAGE) {
          sum += select(vec4f(), v, exists);
          let counted = padded && z < params.endZ && y < params.endY;
          taps += select(vec4f(), vec4f(1.0), exists | (vec4<bool>(counted) & (wanted < vec4i(params.endX))));
        } else {
          best = select(best, v, exists & ((v > best) | !found));
          found |= exists;
        }
      }
    }
  }
  if (AVERAGE) { best = sum / max(taps, vec4f(1.0)); }
  store(row * params.outWidth + ox, params.outWidth - ox, plane % params.channels, best);
}
