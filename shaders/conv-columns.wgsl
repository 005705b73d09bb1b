// The implicit matrix of a convolution, also a transposed one, written out: a 1×1 convolution over its rows is
// the convolution. Reads x as conv-window.wgsl says, which stands behind.
//
// columns  [planes, channels, taps, 4 * columnQuads], zero where a tap meets padding; a plane is one image at
//          one output depth. Behind the last pixel of a line lies what nothing reads.
// Every invocation owns one quad of pixels of all taps of one channel.

struct Params {
  inWidth: i32, inHeight: i32, inDepth: i32, inputStep: u32,
  outWidth: i32, outDepth: u32, columnQuads: u32, invocations: u32,
  kernelX: i32, kernelY: i32, kernelZ: i32, channels: u32,
  strideX: i32, strideY: i32, strideZ: i32,
  dilationX: i32, dilationY: i32, dilationZ: i32,
  padX: i32, padY: i32, padZ: i32,
}

@group(0) @binding(1) var<storage, read_write> columns: array<elem4>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let line = id / params.columnQuads; // [plane][channel]
  let quad = id - line * params.columnQuads;
  let plane = line / params.channels;
  let image = plane / params.outDepth;
  let p = pixelsAt(4u * quad, plane - image * params.outDepth);
  let x0 = (image * params.channels + line - plane * params.channels) * params.inputStep;
  let taps = params.kernelX * params.kernelY * params.kernelZ;
  var to = line * u32(taps) * params.columnQuads + quad;
  for (var kz = 0; kz < params.kernelZ; kz++) {
    let z = meet(vec4i(p.oz), kz * params.dilationZ - params.padZ, params.strideZ, params.inDepth);
    for (var ky = 0; ky < params.kernelY; ky++) {
      let y = meet(p.oy, ky * params.dilationY - params.padY, params.strideY, params.inHeight);
      let row = (z.at * params.inHeight + y.at) * params.inWidth;
      for (var kx = 0; kx < params.kernelX; kx++) {
        let x = meet(p.ox, kx * params.dilationX - params.padX, params.strideX, params.inWidth);
        columns[to] = elem4(load4(x0 + vec4u(row + x.at), z.exists & y.exists & x.exists));
        to += params.columnQuads;
      }
    }
  }
}
