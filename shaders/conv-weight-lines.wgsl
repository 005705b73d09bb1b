// The gradient of a convolution's weights by register tiles, without staging.
//
// x       [batch, groups * channels, inDepth, inHeight, inWidth]
// dy      [batch, groups * groupOut, outDepth, outHeight, outWidth]
// result  [groups * groupOut, channels, kernelZ, kernelY, KERNEL_X] for each split, written by `storeSum`
// A line is one kernel row of one channel. Every invocation owns the taps of LINES lines in LANES * OWN outputs of a group,
// summed over one split of the output rows (all images). Where LANES is 4, the four invocations of a quad own the same
// outputs: each loads the gradients of OWN of them, and they swap. In front of this text:
//   Invocation, laneOf(at: Invocation)      which of LANES an invocation is
//   KERNEL_X, OWN, LINES, LANES; columnsAt, lineAt
//   addQuads(starts: vec4u, exists: vec4<bool>, has: Columns, dy: vec4u, left: u32)
//       adds four columns of an output row to `sums`: where the lines, and where the gradients of own
//       outputs start; `left` columns are left of the row
//   storeOwn(split, elements: vec4u, counts: vec4u, step: u32)
//       stores what the first turn summed and goes on to the next: by line, where it starts in the first of up to OWN
//       outputs, how many of these there are; and the elements from one output to the next

struct Params {
  inWidth: i32, inHeight: i32, inDepth: i32, outWidth: u32, outHeight: u32, outDepth: u32,
  kernelY: u32, kernelZ: u32, strideX: i32, strideY: i32, strideZ: i32,
  dilationY: i32, dilationZ: i32, padX: i32, padY: i32, padZ: i32,
  channels: u32, groups: u32, groupOut: u32, inputStep: u32, outputStep: u32,
  rowQuads: u32, rows: u32, splitRows: u32, // output rows of all images, of one split
  lines: u32, lineTiles: u32, outputTiles: u32, invocations: u32, // lineTiles: a multiple of LANES
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let id = linear_workgroup(at.workgroup, at.count) * WORKGROUP + at.local;
  let tile = min(id, params.invocations - 1u);
  let block = tile / params.lineTiles;
  let part = block / params.outputTiles;
  let split = part / params.groups;
  let group = part - split * params.groups;
  let first = LANES * OWN * (block - part * params.outputTiles);
  let lane = laneOf(at);

  let line = LINES * (tile - block * params.lineTiles) + vec4u(0u, 1u, 2u, 3u);
  let own = min(line, vec4u(params.lines - 1u));
  let depthLine = own / params.kernelY;
  let ky = own - depthLine * params.kernelY;
  let channel = depthLine / params.kernelZ;
  let kz = depthLine - channel * params.kernelZ;
  let tapY = vec4i(ky) * params.dilationY - params.padY;
  let tapZ = vec4i(kz) * params.dilationZ - params.padZ;
  let output = min(first + OWN * lane + vec4u(0u, 1u, 2u, 3u), vec4u(params.groupOut - 1u));

  let begin = split * params.splitRows;
  let slice = begin / params.outHeight;
  var oy = begin - slice * params.outHeight;
  var image = slice / params.outDepth;
  var oz = slice - image * params.outDepth;
  // As often everywhere, since neighbours swap: rows behind the last one meet no input.
  for (var row = 0u; row < params.splitRows; row++) {
    let z = i32(oz) * params.strideZ + tapZ;
    let y = i32(oy) * params.strideY + tapY;
    let exists = vec4<bool>(begin + row < params.rows)
      & (z >= vec4i(0)) & (z < vec4i(params.inDepth)) & (y >= vec4i(0)) & (y < vec4i(params.inHeight));
    let plane = image * params.groups + group;
    var starts = (plane * params.channels + channel) * params.inputStep
      + vec4u((z * params.inHeight + y) * params.inWidth - params.padX);
    var dy = (plane * params.groupOut + output) * params.outputStep + (oz * params.outHeight + oy) * params.outWidth;
    var column = -params.padX;
    var left = params.outWidth;
    for (var quad = 0u; quad < params.rowQuads; quad++) {
      addQuads(starts, exists, columnsAt(column), dy, left);
      starts += vec4u(4u * u32(params.strideX));
      column += 4 * params.strideX;
      dy += vec4u(4u);
      left -= 4u;
    }
    oy++;
    let over = oy == params.outHeight;
    oy = select(oy, 0u, over);
    oz += select(0u, 1u, over);
    let done = oz == params.outDepth;
    oz = select(oz, 0u, done);
    image += select(0u, 1u, done);
  }

  if (id >= params.invocations) { return; }
  let taps = params.kernelZ * params.kernelY * KERNEL_X;
  // By turns, so that the text of the stores stands here once.
  for (var turn = 0u; turn < LANES; turn++) {
    let m = first + OWN * (lane ^ turn);
    let element = ((group * params.groupOut + m) * params.channels + channel) * taps + (kz * params.kernelY + ky) * KERNEL_X;
    let count = select(vec4u(0u), vec4u(max(params.groupOut, m) - m), line < vec4u(params.lines));
    storeOwn(split, element, count, params.channels * taps);
  }
}
