// Convolution of few input channels along output rows, with weights in the model's own order: no dispatch packs them,
// and no channel is padded.
//
// x     [batch, groups * channels, inHeight, inWidth]
// w     [groups * groupOut, channels, kernelY, KERNEL_X]
// bias  [groups * groupOut]; any buffer where hasBias is 0
// y     [batch, groups * groupOut, outHeight, outWidth], written by `store` (in front of this text)
// Every invocation owns four columns of one output row in LANES * OWN outputs of a group. Where LANES is 4, the four
// invocations of a quad own the same outputs: each loads the weights of OWN of them, and they swap. A step takes one
// kernel row of one channel. In front of this text:
//   Invocation, laneOf(at: Invocation)   which of LANES an invocation is
//   KERNEL_X, OWN, LANES; columnsAt, lineAt
//   addLine(line, weights: vec4u)         adds a step to `sums`; the weights of own outputs start there

struct Params {
  inWidth: i32, inHeight: i32, outWidth: u32, outHeight: u32,
  kernelY: i32, strideX: i32, strideY: i32, dilationY: i32, padX: i32, padY: i32,
  channels: u32, inputStep: u32, taps: u32, groups: u32, groupOut: u32, hasBias: u32,
  rowQuads: u32, pixelTiles: u32, channelTiles: u32, tiles: u32, // pixelTiles: a multiple of LANES
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> w: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read> bias: array<elem>;

struct Place { plane: u32, group: u32, output: u32, oy: u32, ox: u32 }

fn storeRow(at: Place, output: u32, sum: vec4f) {
  if (output >= params.groupOut) { return; }
  let channel = at.group * params.groupOut + output;
  let initial = select(0.0, f32(bias[channel]), params.hasBias == 1u);
  let row = (at.plane * params.groupOut + output) * params.outHeight + at.oy;
  store(row * params.outWidth + at.ox, params.outWidth - at.ox, channel, sum + initial);
}

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(at: Invocation) {
  let id = linear_workgroup(at.workgroup, at.count) * WORKGROUP + at.local;
  let tile = min(id, params.tiles - 1u);
  let line = tile / params.pixelTiles;
  let pixelTile = tile - line * params.pixelTiles;
  let plane = line / params.channelTiles; // [image][group]
  let group = plane % params.groups;
  let oy = pixelTile / params.rowQuads;
  let ox = 4u * (pixelTile - oy * params.rowQuads);
  let first = LANES * OWN * (line - plane * params.channelTiles);
  let lane = laneOf(at);
  let own = min(first + OWN * lane + vec4u(0u, 1u, 2u, 3u), vec4u(params.groupOut - 1u));
  var weights = (group * params.groupOut + own) * params.channels * params.taps;
  let column = i32(ox) * params.strideX - params.padX;
  let has = columnsAt(column);
  let top = i32(oy) * params.strideY - params.padY;
  var channel = plane * params.channels * params.inputStep + u32(top * params.inWidth + column);
  var start = channel;
  var row = 0;
  let steps = params.channels * u32(params.kernelY);
  for (var step = 0u; step < steps; step++) {
    let y = top + row * params.dilationY;
    addLine(lineAt(start, has, y >= 0 && y < params.inHeight), weights);
    weights += KERNEL_X;
    row++;
    let over = row == params.kernelY;
    row = select(row, 0, over);
    channel += select(0u, params.inputStep, over);
    start = select(start + u32(params.dilationY * params.inWidth), channel, over);
  }
  if (id >= params.tiles || oy >= params.outHeight) { return; }
  // By turns, so that the text of the stores stands here once.
  for (var turn = 0u; turn < LANES; turn++) {
    storeOwn(Place(plane, group, first + OWN * (lane ^ turn), oy, ox));
  }
}
