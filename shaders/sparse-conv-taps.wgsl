// Convolution by few sparse weights, each of which stands in the text in front of this, in a statement of its own.
//
// x     [batch, groups * channels, inHeight, inWidth]
// w     the weights in the order of the text, sixteen a line
// bias  [OUTPUTS]; any buffer where HAS_BIAS is false
// y     [batch, OUTPUTS, outHeight, outWidth], written by `store`
// Every invocation owns one column of up to params.rows output rows in all outputs, and goes down the input row by row, so that
// each is loaded once for all that it counts for: KERNEL_Y rows of sums are in flight. In front of this text:
//   OUTPUTS, KERNEL_Y, LINES, HAS_BIAS; Columns
//   columnsAt(first: i32) -> Columns   which taps of a row meet a column that exists
//   startRow()                         makes the sums a row older, and begins new ones
//   addRow(at, has, exists)            adds the input row whose first column lies at `at` in the first channel
//   storeOldest(index)                 stores the sums that are whole: the first output's at `index`
//   loadBiases()                       into registers

struct Params {
  inWidth: i32, inHeight: i32, outWidth: u32, outHeight: u32, padX: i32, padY: i32, strideX: i32,
  channels: u32, inputStep: u32, outputStep: u32, rows: u32, strips: u32, invocations: u32,
}

struct Sixteen { a: elem4, b: elem4, c: elem4, d: elem4 }

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> w: array<Sixteen>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read> bias: array<elem>;

override WORKGROUP: u32 = 16u;

// Filled by a loop: so they stay in memory, and compiling takes half as long as where each is a register.
var<private> weights: array<Sixteen, LINES>;

fn biasOf(output: u32) -> f32 { return select(0.0, f32(bias[output]), HAS_BIAS); }

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let strip = id / params.outWidth;
  let image = strip / params.strips;
  let ox = id - strip * params.outWidth;
  let oy = params.rows * (strip - image * params.strips);
  let column = i32(ox) * params.strideX - params.padX;
  let has = columnsAt(column);
  for (var line = 0u; line < LINES; line++) { weights[line] = w[line]; }
  loadBiases();
  var y = i32(oy) - params.padY;
  var at = image * params.channels * params.inputStep + u32(y * params.inWidth + column);
  var to = image * OUTPUTS * params.outputStep + oy * params.outWidth + ox;
  let rows = min(params.rows, params.outHeight - oy) + KERNEL_Y - 1u;
  for (var row = 0u; row < rows; row++) {
    startRow();
    addRow(at, has, y >= 0 && y < params.inHeight);
    if (row + 1u >= KERNEL_Y) {
      storeOldest(to);
      to += params.outWidth;
    }
    y++;
    at += u32(params.inWidth);
  }
}
