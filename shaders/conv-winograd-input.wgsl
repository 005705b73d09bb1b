// Winograd's transform of the input, Bᵀ d B, for 3×3 kernels with stride 1 (https://arxiv.org/abs/1509.09308, with
// the points of conv-winograd-weights.wgsl): each block of 4×4 outputs reads 6×6 inputs.
//
// x  [batch, channels, inHeight, inWidth]
// v  [6][6][channels][tileStep], tiles numbered [batch][tilesY][tilesX]
// Every invocation owns one tile of one channel.

struct Params {
  inWidth: i32, inHeight: i32, padX: i32, padY: i32,
  channels: u32, tilesX: u32, tilesY: u32, tileStep: u32, tiles: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> v: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

alias Line = array<f32, 6>;

fn inputLine(d: Line) -> Line {
  let even3 = d[4] - 2.25 * d[2];
  let odd3 = 0.75 * d[3] - 1.6875 * d[1];
  let even6 = d[4] - 0.5625 * d[2];
  let odd6 = 1.5 * d[3] - 0.84375 * d[1];
  return Line(
    1.265625 * d[0] - 2.8125 * d[2] + d[4], even3 + odd3, even3 - odd3, even6 + odd6, even6 - odd6,
    1.265625 * d[1] - 2.8125 * d[3] + d[5]);
}

// Where the six columns of the tile lie in a row, and whether they exist.
struct Columns { at: vec4i, next: vec2i, exist: vec4<bool>, nextExist: vec2<bool> }

fn columnsAt(first: i32) -> Columns {
  let left = first + vec4i(0, 1, 2, 3);
  let right = first + vec2i(4, 5);
  let at = clamp(left, vec4i(0), vec4i(params.inWidth - 1));
  let next = clamp(right, vec2i(0), vec2i(params.inWidth - 1));
  return Columns(at, next, at == left, next == right);
}

fn inputRow(x0: u32, y: i32, c: Columns) -> Line {
  let row = clamp(y, 0, params.inHeight - 1);
  let start = i32(x0) + row * params.inWidth;
  let at = vec4u(start + c.at);
  let next = vec2u(start + c.next);
  let left = select(vec4f(), vec4f(x[at.x], x[at.y], x[at.z], x[at.w]), c.exist & vec4<bool>(row == y));
  let right = select(vec2f(), vec2f(x[next.x], x[next.y]), c.nextExist & vec2<bool>(row == y));
  return inputLine(Line(left.x, left.y, left.z, left.w, right.x, right.y));
}

fn storeColumn(at: u32, d: Line) {
  let step = 6u * params.channels * params.tileStep;
  let line = inputLine(d);
  v[at] = line[0];
  v[at + step] = line[1];
  v[at + 2u * step] = line[2];
  v[at + 3u * step] = line[3];
  v[at + 4u * step] = line[4];
  v[at + 5u * step] = line[5];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.channels * params.tiles) { return; }
  let channel = id / params.tiles;
  let tile = id - channel * params.tiles;
  let row = tile / params.tilesX;
  let image = row / params.tilesY;
  let y = 4 * i32(row - image * params.tilesY) - params.padY;
  let c = columnsAt(4 * i32(tile - row * params.tilesX) - params.padX);
  let x0 = (image * params.channels + channel) * u32(params.inWidth * params.inHeight);
  let r0 = inputRow(x0, y, c);
  let r1 = inputRow(x0, y + 1, c);
  let r2 = inputRow(x0, y + 2, c);
  let r3 = inputRow(x0, y + 3, c);
  let r4 = inputRow(x0, y + 4, c);
  let r5 = inputRow(x0, y + 5, c);
  let step = params.channels * params.tileStep;
  let to = channel * params.tileStep + tile;
  storeColumn(to, Line(r0[0], r1[0], r2[0], r3[0], r4[0], r5[0]));
  storeColumn(to + step, Line(r0[1], r1[1], r2[1], r3[1], r4[1], r5[1]));
  storeColumn(to + 2u * step, Line(r0[2], r1[2], r2[2], r3[2], r4[2], r5[2]));
  storeColumn(to + 3u * step, Line(r0[3], r1[3], r2[3], r3[3], r4[3], r5[3]));
  storeColumn(to + 4u * step, Line(r0[4], r1[4], r2[4], r3[4], r4[4], r5[4]));
  storeColumn(to + 5u * step, Line(r0[5], r1[5], r2[5], r3[5], r4[5], r5[5]));
}
