// Depthwise convolution: every output reads one input channel.
//
// x     [batch, channels, inHeight, inWidth]
// w     [outputs, KERNEL_Y, KERNEL_X], the model's own order
// bias  [outputs]; any buffer where hasBias is 0
// y     [batch, outputs, outHeight, outWidth], written by `store` (in front of this text)
// Output m reads channel m / multiplier. Every invocation owns four columns of up to params.rows output rows and goes
// down the input by the rows of one vertical stride at a time, so that each is loaded once for all the outputs that it
// counts for: those are in flight. In front of this text:
//   KERNEL_Y, KERNEL_X, STRIDE_Y, IN_FLIGHT; columnsAt
//   advance(at, y, has) -> vec4f   takes STRIDE_Y input rows from row y, element `at`: starts a sum, adds to all, and
//                                  answers the oldest, which is then whole

struct Params {
  inWidth: i32, inHeight: i32, outWidth: u32, outHeight: u32, padX: i32, padY: i32,
  outputs: u32, multiplier: u32, hasBias: u32, strideX: u32, rowQuads: u32, rows: u32, strips: u32, invocations: u32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> w: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read> bias: array<elem>;

override WORKGROUP: u32 = 64u;

const TAPS = KERNEL_X * KERNEL_Y;

var<private> kernel: array<f32, TAPS>;
var<private> start: vec4f;
var<private> sums: array<vec4f, IN_FLIGHT>; // the newest first

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let strip = id / params.rowQuads;
  let plane = strip / params.strips;
  let image = plane / params.outputs;
  let m = plane - image * params.outputs;
  let ox = 4u * (id - strip * params.rowQuads);
  let oy = params.rows * (strip - plane * params.strips);
  let channel = image * (params.outputs / params.multiplier) + m / params.multiplier;
  let column = i32(ox * params.strideX) - params.padX;
  let has = columnsAt(column);
  var y = i32(oy * STRIDE_Y) - params.padY;
  var at = u32((i32(channel) * params.inHeight + y) * params.inWidth + column);
  for (var tap = 0u; tap < TAPS; tap++) { kernel[tap] = f32(w[m * TAPS + tap]); }
  start = vec4f(select(0.0, f32(bias[m]), params.hasBias == 1u));
  var to = (plane * params.outHeight + oy) * params.outWidth + ox;
  let rows = min(params.rows, params.outHeight - oy) + IN_FLIGHT - 1u;
  for (var row = 0u; row < rows; row++) {
    let sum = advance(at, y, has);
    if (row + 1u >= IN_FLIGHT) {
      store(to, params.outWidth - ox, m, sum);
      to += params.outWidth;
    }
    y += i32(STRIDE_Y);
    at += STRIDE_Y * u32(params.inWidth);
  }
}
