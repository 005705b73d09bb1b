// Depthwise convolution: every output reads one input channel. 2-D, kernels up to 5 wide without horizontal
// dilation, horizontal stride 1 or 2; any height, vertical stride and dilation; any padding.
//
// x     [batch, channels, inHeight, inWidth]
// w     [outputs, kernelY, KERNEL_X], the model's own order
// bias  [outputs]; any buffer where hasBias is 0
// y     [batch, outputs, outHeight, outWidth], written by `store` (in front of this text)
// Output m reads channel m / multiplier. Every invocation owns four columns of one output row: of each input
// row it loads each column once (`a`, `b`, `c`, from left to right) for all taps.

struct Params {
  inWidth: i32, inHeight: i32, outWidth: u32, outHeight: u32,
  kernelY: i32, strideY: i32, dilationY: i32, padX: i32, padY: i32,
  outputs: u32, multiplier: u32, hasBias: u32, rowQuads: u32, invocations: u32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> w: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read> bias: array<elem>;

override WORKGROUP: u32 = 64u;
override KERNEL_X: u32 = 3u; // 2 to 5
override STRIDE_X: u32 = 1u; // 1 or 2

// Four columns of the input: where they lie in a row, and whether they exist.
struct Columns { at: vec4u, exist: vec4<bool> }

fn columns(first: i32) -> Columns {
  let at = first + vec4i(0, 1, 2, 3);
  let clamped = clamp(at, vec4i(0), vec4i(params.inWidth - 1));
  return Columns(vec4u(clamped), clamped == at);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let ox = 4u * (id % params.rowQuads);
  let oy = id / params.rowQuads % params.outHeight;
  let plane = id / (params.rowQuads * params.outHeight);
  let m = plane % params.outputs;
  let channel = plane / params.outputs * (params.outputs / params.multiplier) + m / params.multiplier;
  let ix = i32(ox * STRIDE_X) - params.padX;
  let ca = columns(ix);
  let cb = columns(ix + 4);
  let cc = columns(ix + 8);
  let x0 = channel * u32(params.inHeight * params.inWidth);
  var iy = i32(oy) * params.strideY - params.padY;
  var tap = m * u32(params.kernelY) * KERNEL_X;
  var sum = vec4f(select(0.0, f32(bias[m]), params.hasBias == 1u));
  for (var ky = 0; ky < params.kernelY; ky++) {
    let clamped = clamp(iy, 0, params.inHeight - 1);
    let row = x0 + u32(clamped * params.inWidth);
    // Only the columns that the taps reach are loaded: KERNEL_X + 3 at stride 1, KERNEL_X + 6 at stride 2.
    let a = select(vec4f(), vec4f(vec4<elem>(x[row + ca.at.x], x[row + ca.at.y], x[row + ca.at.z], x[row + ca.at.w])), ca.exist);
    var b = vec4<elem>(x[row + cb.at.x], elem(), elem(), elem());
    if (STRIDE_X == 2u || KERNEL_X > 2u) { b.y = x[row + cb.at.y]; }
    if (STRIDE_X == 2u || KERNEL_X > 3u) { b.z = x[row + cb.at.z]; }
    if (STRIDE_X == 2u || KERNEL_X > 4u) { b.w = x[row + cb.at.w]; }
    let bf = select(vec4f(), vec4f(b), cb.exist);
    let scale = select(0.0, 1.0, clamped == iy);
    let w0 = scale * f32(w[tap]);
    let w1 = scale * f32(w[tap + 1u]);
    if (STRIDE_X == 1u) {
      sum += a * w0 + vec4f(a.yzw, bf.x) * w1;
      if (KERNEL_X > 2u) { sum += vec4f(a.zw, bf.xy) * (scale * f32(w[tap + 2u])); }
      if (KERNEL_X > 3u) { sum += vec4f(a.w, bf.xyz) * (scale * f32(w[tap + 3u])); }
      if (KERNEL_X > 4u) { sum += bf * (scale * f32(w[tap + 4u])); }
    } else {
      var c = vec4<elem>();
      if (KERNEL_X > 2u) { c.x = x[row + cc.at.x]; }
      if (KERNEL_X > 3u) { c.y = x[row + cc.at.y]; }
      if (KERNEL_X > 4u) { c.z = x[row + cc.at.z]; }
      let cf = select(vec4f(), vec4f(c), cc.exist);
      sum += vec4f(a.xz, bf.xz) * w0 + vec4f(a.yw, bf.yw) * w1;
      if (KERNEL_X > 2u) { sum += vec4f(a.z, bf.xz, cf.x) * (scale * f32(w[tap + 2u])); }
      if (KERNEL_X > 3u) { sum += vec4f(a.w, bf.yw, cf.y) * (scale * f32(w[tap + 3u])); }
      if (KERNEL_X > 4u) { sum += vec4f(bf.xz, cf.xz) * (scale * f32(w[tap + 4u])); }
    }
    iy += params.dilationY;
    tap += KERNEL_X;
  }
  store((plane * params.outHeight + oy) * params.outWidth + ox, params.outWidth - ox, m, sum);
}
