// The input of a convolution written out for sparse-conv.wgsl, in strips of four output columns: what a horizontal tap meets at
// four neighbouring outputs is one quad, and quads of the rows of an image follow one another. Vertical taps share them.
//
// x       [batch, channels, inHeight, inWidth]
// strips  [batch, columnQuads, channels, kernelX, rows] of quads, zero where a tap meets padding; row 0 is the first that any
//         output reads, padding included. Lanes past the last output column hold what nothing reads.
// Every invocation owns ROWS rows of one channel in one strip: columns and what is padding among them are found once.

struct Params {
  inWidth: i32, inHeight: i32, channels: u32, columnQuads: u32, rows: u32, blocks: u32, kernelX: u32,
  strideX: i32, dilationX: i32, padX: i32, padY: i32, invocations: u32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read_write> strips: array<elem4>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override ROWS: u32 = 8u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let line = id / params.blocks; // [image][strip][channel]
  let first = (id - line * params.blocks) * ROWS;
  let strip = line / params.channels; // [image][strip]
  let channel = line - strip * params.channels;
  let image = strip / params.columnQuads;
  let start = (image * params.channels + channel) * u32(params.inHeight * params.inWidth);
  let columns = (i32(4u * (strip - image * params.columnQuads)) + vec4i(0, 1, 2, 3)) * params.strideX - params.padX;
  let end = min(first + ROWS, params.rows);
  for (var k = 0u; k < params.kernelX; k++) {
    let column = columns + i32(k) * params.dilationX;
    let at = clamp(column, vec4i(0), vec4i(params.inWidth - 1));
    let inside = at == column;
    let to = (line * params.kernelX + k) * params.rows;
    for (var row = first; row < end; row++) {
      let y = i32(row) - params.padY;
      let inRow = y >= 0 && y < params.inHeight;
      let places = start + vec4u(select(0, y * params.inWidth, inRow) + at);
      let quad = elem4(x[places.x], x[places.y], x[places.z], x[places.w]);
      strips[to + row] = select(elem4(), quad, inside & vec4<bool>(inRow));
    }
  }
}
