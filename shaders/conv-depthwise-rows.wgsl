// Depthwise 3×3 convolution without dilation, horizontal and vertical stride STRIDE, any padding: every output
// reads one input channel.
//
// x     [batch, channels, inHeight, inWidth]
// w     [outputs, 3, 3], the model's own order
// bias  [outputs]; any buffer where hasBias is 0
// y     [batch, outputs, outHeight, outWidth], written by `store` (in front of this text)
// Output m reads channel m / multiplier. Every invocation owns four columns of ROWS output rows, so that each
// input row is loaded once for all the rows that it counts for.

struct Params {
  inWidth: i32, inHeight: i32, outWidth: u32, outHeight: u32, padX: i32, padY: i32,
  outputs: u32, multiplier: u32, hasBias: u32, rowQuads: u32, rowTiles: u32, invocations: u32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> w: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read> bias: array<elem>;

override WORKGROUP: u32 = 64u;
override STRIDE: u32 = 1u; // 1 or 2
override ROWS: u32 = select(2u, 4u, STRIDE == 1u);

// Six columns of the input at stride 1, nine at stride 2: where they lie in a row, and whether they exist.
struct Columns { a: vec4i, b: vec4i, c: i32, hasA: vec4<bool>, hasB: vec4<bool>, hasC: bool }
struct Row { a: vec4f, b: vec4f, c: f32 }

fn columnsAt(first: i32) -> Columns {
  let last = params.inWidth - 1;
  let a = first + vec4i(0, 1, 2, 3);
  let b = a + 4;
  let at = clamp(a, vec4i(0), vec4i(last));
  let bt = clamp(b, vec4i(0), vec4i(last));
  return Columns(at, bt, min(first + 8, last), at == a, bt == b, first + 8 <= last);
}

fn inputRow(x0: u32, y: i32, at: Columns) -> Row {
  let clamped = clamp(y, 0, params.inHeight - 1);
  let exists = clamped == y;
  let row = i32(x0) + clamped * params.inWidth;
  let a = vec4f(vec4<elem>(x[row + at.a.x], x[row + at.a.y], x[row + at.a.z], x[row + at.a.w]));
  var b = vec4f(f32(x[row + at.b.x]), f32(x[row + at.b.y]), 0.0, 0.0);
  var c = 0.0;
  if (STRIDE == 2u) {
    b = vec4f(b.xy, f32(x[row + at.b.z]), f32(x[row + at.b.w]));
    c = select(0.0, f32(x[row + at.c]), at.hasC & exists);
  }
  return Row(select(vec4f(), a, at.hasA & vec4<bool>(exists)), select(vec4f(), b, at.hasB & vec4<bool>(exists)), c);
}

fn threeTaps(r: Row, k: vec3f) -> vec4f {
  if (STRIDE == 1u) { return r.a * k.x + vec4f(r.a.yzw, r.b.x) * k.y + vec4f(r.a.zw, r.b.xy) * k.z; }
  return vec4f(r.a.xz, r.b.xz) * k.x + vec4f(r.a.yw, r.b.yw) * k.y + vec4f(r.a.z, r.b.xz, r.c) * k.z;
}

fn weightRow(at: u32) -> vec3f { return vec3f(vec3<elem>(w[at], w[at + 1u], w[at + 2u])); }

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let strip = id / params.rowQuads;
  let plane = strip / params.rowTiles;
  let image = plane / params.outputs;
  let m = plane - image * params.outputs;
  let ox = 4u * (id - strip * params.rowQuads);
  let oy = ROWS * (strip - plane * params.rowTiles);
  let channel = image * (params.outputs / params.multiplier) + m / params.multiplier;
  let x0 = channel * u32(params.inHeight * params.inWidth);
  let at = columnsAt(i32(ox * STRIDE) - params.padX);
  let iy = i32(oy * STRIDE) - params.padY;
  let k0 = weightRow(9u * m);
  let k1 = weightRow(9u * m + 3u);
  let k2 = weightRow(9u * m + 6u);
  let start = vec4f(select(0.0, f32(bias[m]), params.hasBias == 1u));
  let r0 = inputRow(x0, iy, at);
  let r1 = inputRow(x0, iy + 1, at);
  let r2 = inputRow(x0, iy + 2, at);
  let r3 = inputRow(x0, iy + 3, at);
  let r4 = inputRow(x0, iy + 4, at);
  let y0 = (plane * params.outHeight + oy) * params.outWidth + ox;
  let lanes = params.outWidth - ox;
  let rows = params.outHeight - oy;
  store(y0, lanes, m, start + threeTaps(r0, k0) + threeTaps(r1, k1) + threeTaps(r2, k2));
  if (STRIDE == 1u) {
    let r5 = inputRow(x0, iy + 5, at);
    let s1 = start + threeTaps(r1, k0) + threeTaps(r2, k1) + threeTaps(r3, k2);
    let s2 = start + threeTaps(r2, k0) + threeTaps(r3, k1) + threeTaps(r4, k2);
    let s3 = start + threeTaps(r3, k0) + threeTaps(r4, k1) + threeTaps(r5, k2);
    if (rows > 1u) { store(y0 + params.outWidth, lanes, m, s1); }
    if (rows > 2u) { store(y0 + 2u * params.outWidth, lanes, m, s2); }
    if (rows > 3u) { store(y0 + 3u * params.outWidth, lanes, m, s3); }
  } else if (rows > 1u) {
    store(y0 + params.outWidth, lanes, m, start + threeTaps(r2, k0) + threeTaps(r3, k1) + threeTaps(r4, k2));
  }
}
