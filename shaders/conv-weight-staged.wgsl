// The gradient of a convolution's weights as a matrix product staged through workgroup memory: outputs by columns (the taps
// of every channel), summed over the output pixels of all images.
//
// x       [batch, groups * channels, inDepth, inHeight, inWidth]
// dy      [batch, groups * groupOut, outDepth, outHeight, outWidth]
// result  [groups * groupOut, columns] for each split, written by `storeSum` (in front of this text)
// A workgroup of SIDE × SIDE invocations owns M = 4 * SIDE * ROW_QUADS outputs by N = 4 * SIDE * COLUMN_QUADS columns of a
// group, over one split of the pixels, STAGE of them at a time. Its invocation (i, j) owns every SIDE-th quad from quad i of
// columns and j of outputs. Neighbours load neighbouring pixels.

struct Params {
  inWidth: i32, inHeight: i32, inDepth: i32, outWidth: u32, outHeight: u32,
  kernelX: u32, kernelY: u32, strideX: i32, strideY: i32, strideZ: i32,
  dilationX: i32, dilationY: i32, dilationZ: i32, padX: i32, padY: i32, padZ: i32,
  channels: u32, groups: u32, groupOut: u32, inputStep: u32, outputStep: u32,
  taps: u32, columns: u32, pixels: u32, splitPixels: u32, // output pixels of all images, of one split
  columnTiles: u32, outputTiles: u32, tiles: u32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> dy: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

override SIDE: u32 = 16u; // 8 or 16
override ROW_QUADS: u32 = 1u; // 1 or 2
override COLUMN_QUADS: u32 = 1u; // 1 or 2

const STAGE = 16u;
override INVOCATIONS: u32 = SIDE * SIDE;
override ROWS: u32 = SIDE * ROW_QUADS; // quads of outputs, of columns
override COLUMNS: u32 = SIDE * COLUMN_QUADS;
// One quad to spare, so that neighbours write to different banks.
override ROW_LINES: u32 = STAGE * (ROWS + 1u);
override COLUMN_LINES: u32 = STAGE * (COLUMNS + 1u);

var<workgroup> rows: array<vec4f, ROW_LINES>; // [pixel][quad of outputs]
var<workgroup> columns: array<vec4f, COLUMN_LINES>; // [pixel][quad of columns]

// Four columns: where their channels start, and how far their taps lie from an output pixel's own place.
struct Taps { channel: vec4u, z: vec4i, y: vec4i, x: vec4i }

fn tapsOf(first: u32) -> Taps {
  let column = min(first + vec4u(0u, 1u, 2u, 3u), vec4u(params.columns - 1u));
  let channel = column / params.taps;
  let tap = column - channel * params.taps;
  let line = tap / params.kernelX;
  let kx = tap - line * params.kernelX;
  let kz = line / params.kernelY;
  let ky = line - kz * params.kernelY;
  return Taps(
    channel * params.inputStep, vec4i(kz) * params.dilationZ - params.padZ,
    vec4i(ky) * params.dilationY - params.padY, vec4i(kx) * params.dilationX - params.padX);
}

// An output pixel by its number: its image, its place within, and whether it belongs to the split.
struct Pixel { image: u32, at: u32, z: i32, y: i32, x: i32, exists: bool }

fn pixelAt(number: u32, end: u32) -> Pixel {
  let p = min(number, params.pixels - 1u);
  let image = p / params.outputStep;
  let at = p - image * params.outputStep;
  let line = at / params.outWidth;
  let slice = line / params.outHeight;
  return Pixel(
    image, at, i32(slice) * params.strideZ, i32(line - slice * params.outHeight) * params.strideY,
    i32(at - line * params.outWidth) * params.strideX, number < end);
}

fn inputs(p: Pixel, group: u32, taps: Taps) -> vec4f {
  let z = p.z + taps.z;
  let y = p.y + taps.y;
  let column = p.x + taps.x;
  let exists = vec4<bool>(p.exists) & (z >= vec4i(0)) & (z < vec4i(params.inDepth)) & (y >= vec4i(0))
    & (y < vec4i(params.inHeight)) & (column >= vec4i(0)) & (column < vec4i(params.inWidth));
  let inside = vec4u((z * params.inHeight + y) * params.inWidth + column);
  let at = (p.image * params.groups + group) * params.channels * params.inputStep + taps.channel + select(vec4u(), inside, exists);
  return select(vec4f(), vec4f(vec4<elem>(x[at.x], x[at.y], x[at.z], x[at.w])), exists);
}

fn gradients(p: Pixel, group: u32, output: u32) -> vec4f {
  let m = group * params.groupOut + min(output + vec4u(0u, 1u, 2u, 3u), vec4u(params.groupOut - 1u));
  let at = (p.image * params.groups * params.groupOut + m) * params.outputStep + p.at;
  return select(vec4f(), vec4f(vec4<elem>(dy[at.x], dy[at.y], dy[at.z], dy[at.w])), p.exists);
}

fn outer(row: vec4f, column: vec4f) -> mat4x4f {
  return mat4x4f(column * row.x, column * row.y, column * row.z, column * row.w);
}

// A column of the matrix is one output's sums of four columns.
fn storeTile(v: mat4x4f, split: u32, group: u32, output: u32, column: u32) {
  var sums = v;
  for (var i = 0u; i < 4u; i++) {
    if (output + i >= params.groupOut) { return; }
    let start = (group * params.groupOut + output + i) * params.columns;
    for (var k = 0u; k < 4u; k++) {
      if (column + k < params.columns) { storeSum(split, start + column + k, sums[i][k]); }
    }
  }
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count);
  if (id >= params.tiles) { return; }
  let line = id / params.columnTiles;
  let part = line / params.outputTiles;
  let split = part / params.groups;
  let group = part - split * params.groups;
  let column = 4u * COLUMNS * (id - line * params.columnTiles);
  let output = 4u * ROWS * (line - part * params.outputTiles);
  let begin = split * params.splitPixels;
  let end = min(begin + params.splitPixels, params.pixels);
  let lane = local % STAGE;
  let quad = local / STAGE;

  var t00: mat4x4f; var t01: mat4x4f; var t10: mat4x4f; var t11: mat4x4f;
  for (var first = begin; first < end; first += STAGE) {
    let pixel = pixelAt(first + lane, end);
    for (var q = quad; q < ROWS; q += INVOCATIONS / STAGE) {
      rows[lane * (ROWS + 1u) + q] = gradients(pixel, group, output + 4u * q);
    }
    for (var q = quad; q < COLUMNS; q += INVOCATIONS / STAGE) {
      columns[lane * (COLUMNS + 1u) + q] = inputs(pixel, group, tapsOf(column + 4u * q));
    }
    workgroupBarrier();
    for (var p = 0u; p < STAGE; p++) {
      let row = p * (ROWS + 1u) + local / SIDE;
      let line = p * (COLUMNS + 1u) + local % SIDE;
      let r0 = rows[row];
      let c0 = columns[line];
      t00 += outer(r0, c0);
      if (COLUMN_QUADS > 1u) { t01 += outer(r0, columns[line + SIDE]); }
      if (ROW_QUADS > 1u) {
        let r1 = rows[row + SIDE];
        t10 += outer(r1, c0);
        if (COLUMN_QUADS > 1u) { t11 += outer(r1, columns[line + SIDE]); }
      }
    }
    workgroupBarrier();
  }
  var tiles = array<mat4x4f, 4>(t00, t01, t10, t11);
  for (var t = 0u; t < 4u; t++) {
    if (t / 2u < ROW_QUADS && t % 2u < COLUMN_QUADS) {
      storeTile(
        tiles[t], split, group, output + 4u * (local / SIDE + t / 2u * SIDE), column + 4u * (local % SIDE + t % 2u * SIDE));
    }
  }
}
