// Winograd's transform back, Aᵀ m A, with the points of conv-winograd-weights.wgsl: each tile becomes 4×4 outputs.
//
// sums  [6][6][outputs][tileStep], tiles numbered [batch][tilesY][tilesX]
// bias  [outputs]; any buffer where hasBias is 0
// y     [batch, outputs, outHeight, outWidth], written by `store` (in front of this text)
// Every invocation owns one tile of one output channel.

struct Params {
  outWidth: u32, outHeight: u32, outputs: u32, hasBias: u32,
  tilesX: u32, tilesY: u32, tileStep: u32, tiles: u32,
}

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

fn outputLine(m0: f32, m1: f32, m2: f32, m3: f32, m4: f32, m5: f32) -> vec4f {
  let even3 = m1 + m2;
  let odd3 = m1 - m2;
  let even6 = m3 + m4;
  let odd6 = m3 - m4;
  return vec4f(
    m0 + even3 + even6, 0.75 * odd3 + 1.5 * odd6, 0.5625 * even3 + 2.25 * even6, 0.421875 * odd3 + 3.375 * odd6 + m5);
}

fn outputColumn(first: u32) -> vec4f {
  let step = 6u * params.outputs * params.tileStep;
  return outputLine(
    sums[first], sums[first + step], sums[first + 2u * step],
    sums[first + 3u * step], sums[first + 4u * step], sums[first + 5u * step]);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.outputs * params.tiles) { return; }
  let m = id / params.tiles;
  let tile = id - m * params.tiles;
  let row = tile / params.tilesX;
  let image = row / params.tilesY;
  let oy = 4u * (row - image * params.tilesY);
  let ox = 4u * (tile - row * params.tilesX);
  let step = params.outputs * params.tileStep;
  let at = m * params.tileStep + tile;
  let c0 = outputColumn(at);
  let c1 = outputColumn(at + step);
  let c2 = outputColumn(at + 2u * step);
  let c3 = outputColumn(at + 3u * step);
  let c4 = outputColumn(at + 4u * step);
  let c5 = outputColumn(at + 5u * step);
  let b = select(0.0, bias[m], params.hasBias == 1u);
  let y0 = ((image * params.outputs + m) * params.outHeight + oy) * params.outWidth + ox;
  let lanes = params.outWidth - ox;
  let rows = params.outHeight - oy;
  store(y0, lanes, m, outputLine(c0.x, c1.x, c2.x, c3.x, c4.x, c5.x) + b);
  if (rows > 1u) { store(y0 + params.outWidth, lanes, m, outputLine(c0.y, c1.y, c2.y, c3.y, c4.y, c5.y) + b); }
  if (rows > 2u) { store(y0 + 2u * params.outWidth, lanes, m, outputLine(c0.z, c1.z, c2.z, c3.z, c4.z, c5.z) + b); }
  if (rows > 3u) { store(y0 + 3u * params.outWidth, lanes, m, outputLine(c0.w, c1.w, c2.w, c3.w, c4.w, c5.w) + b); }
}
