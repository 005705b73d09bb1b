// Convolution over one or two axes as it is defined, with weights as the model has them: quick to compile, for runs
// that are over before a better variant would have been compiled.
//
// x  [batch, groups * channels, height, width]    w  [groups * groupOut, channels, taps]    bias  [groups * groupOut]
// One invocation owns four neighbouring pixels of a row in four output channels of a group: loads are what takes long,
// both to compile and to run, and eight of them serve sixteen products. Workgroups: pixels in x, channels in y, images
// in z. In front: elem and epilogue(v, index, channel).

struct Params {
  inWidth: i32, inHeight: i32,
  outWidth: u32, outHeight: u32,
  kernelX: i32, kernelY: i32,
  strideX: i32, strideY: i32,
  dilationX: i32, dilationY: i32,
  padX: i32, padY: i32,
  channels: u32, groupOut: u32, outputs: u32, // outputs: of all groups
  groupQuads: u32, // of output channels
  taps: u32, inputStep: u32, hasBias: u32,
  rectified: u32, // 1: what comes out of the epilogue is
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> w: array<elem>;
@group(0) @binding(2) var<storage, read_write> y: array<elem>;
@group(0) @binding(3) var<storage, read> bias: array<elem>;
@group(0) @binding(4) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
  let rowQuads = (params.outWidth + 3u) / 4u;
  let number = id.x * WORKGROUP + local;
  let oy = number / rowQuads;
  if (oy >= params.outHeight) { return; }
  let ox = 4u * (number - oy * rowQuads);
  let group = id.y / params.groupQuads;
  let inGroup = 4u * (id.y - group * params.groupQuads);
  let output = group * params.groupOut + inGroup;
  let lanes = vec4u(0u, 1u, 2u, 3u);
  let y0 = i32(oy) * params.strideY - params.padY;
  let x0 = vec4i(ox + lanes) * params.strideX - params.padX;
  let image = (id.z * (params.outputs / params.groupOut) + group) * params.channels * params.inputStep;

  let channels = params.channels;
  let inputStep = params.inputStep;
  let taps = params.taps;
  // A column of `sum` for each output channel. Those past the last one repeat it, and are not stored.
  var sum = mat4x4f();
  var tap = (group * params.groupOut + min(inGroup + lanes, vec4u(params.groupOut - 1u))) * channels * taps;
  for (var ky = 0; ky < params.kernelY; ky++) {
    let row = y0 + ky * params.dilationY;
    for (var kx = 0; kx < params.kernelX; kx++) {
      let column = x0 + kx * params.dilationX;
      let inside = vec4<bool>(row >= 0 && row < params.inHeight) & (column >= vec4i()) & (column < vec4i(params.inWidth));
      var at = image + vec4u(select(vec4i(), row * params.inWidth + column, inside));
      var weight = tap;
      for (var c = 0u; c < channels; c++) {
        let v = select(vec4f(), vec4f(vec4(x[at.x], x[at.y], x[at.z], x[at.w])), inside);
        let u = vec4f(vec4(w[weight.x], w[weight.y], w[weight.z], w[weight.w]));
        sum[0] += u.x * v;
        sum[1] += u.y * v;
        sum[2] += u.z * v;
        sum[3] += u.w * v;
        at += inputStep;
        weight += taps;
      }
      tap += vec4u(1u);
    }
  }
  // One loop for rows and columns: loops within loops take longer to compile.
  for (var i = 0u; i < 16u; i++) {
    let c = i >> 2u;
    let p = i & 3u;
    if (inGroup + c < params.groupOut && ox + p < params.outWidth) {
      let start = select(0.0, f32(bias[output + c]), params.hasBias == 1u);
      let index = ((id.z * params.outputs + output + c) * params.outHeight + oy) * params.outWidth + ox + p;
      let v = epilogue(vec4f(sum[c][p] + start), index, output + c).x;
      y[index] = elem(select(v, 0, params.rectified == 1u && v < 0));
    }
  }
}
