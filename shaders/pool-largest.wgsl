// Which tap of each window the largest element is: the first of those that are equal.
//
// x       [planes, inDepth, inHeight, inWidth]
// places  [planes, outDepth, outHeight, outWidth], numbers of taps
// Every invocation owns four columns of one output row.

struct Params {
  inWidth: i32, inHeight: i32, inDepth: i32, padX: i32, padY: i32, padZ: i32,
  outWidth: u32, outHeight: u32, outDepth: u32,
  kernelX: i32, kernelY: i32, kernelZ: i32,
  strideX: i32, strideY: i32, strideZ: i32,
  dilationX: i32, dilationY: i32, dilationZ: i32,
  rowQuads: u32, invocations: u32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read_write> places: array<i32>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let row = id / params.rowQuads; // [plane][outDepth][outHeight]
  let slice = row / params.outHeight;
  let plane = slice / params.outDepth;
  let ox = 4u * (id - row * params.rowQuads);
  let ix = (i32(ox) + vec4i(0, 1, 2, 3)) * params.strideX - params.padX;
  let iy = i32(row - slice * params.outHeight) * params.strideY - params.padY;
  let iz = i32(slice - plane * params.outDepth) * params.strideZ - params.padZ;

  var best = vec4f();
  var place = vec4i(-1);
  var line = 0;
  for (var kz = 0; kz < params.kernelZ; kz++) {
    let z = iz + kz * params.dilationZ;
    for (var ky = 0; ky < params.kernelY; ky++) {
      let y = iy + ky * params.dilationY;
      if (z >= 0 && z < params.inDepth && y >= 0 && y < params.inHeight) {
        let start = ((i32(plane) * params.inDepth + z) * params.inHeight + y) * params.inWidth;
        for (var kx = 0; kx < params.kernelX; kx++) {
          let wanted = ix + kx * params.dilationX;
          let column = clamp(wanted, vec4i(0), vec4i(params.inWidth - 1));
          let at = vec4u(start + column);
          let v = vec4f(vec4<elem>(x[at.x], x[at.y], x[at.z], x[at.w]));
          let larger = (column == wanted) & ((v > best) | (place < vec4i(0)));
          best = select(best, v, larger);
          place = select(place, vec4i(line + kx), larger);
        }
      }
      line += params.kernelX;
    }
  }
  let to = row * params.outWidth + ox;
  for (var lane = 0u; lane < min(4u, params.outWidth - ox); lane++) { places[to + lane] = place[lane]; }
}
