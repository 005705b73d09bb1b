// Matrix product with both operands staged through workgroup memory, for GPUs. Follows matmul-operands.wgsl.
//
// A workgroup of WIDTH × HEIGHT invocations owns HEIGHT * ROW_QUADS quads of rows by WIDTH * COLUMN_QUADS
// quads of columns, and stages K_QUADS quads of k at a time. Invocation (x, y) owns row quads y, y + HEIGHT
// and column quads x, x + WIDTH of them, so that neighbours touch neighbouring words.
// `store(plane, row, column, v)` (in front) writes four columns of one row.
//
// Staged lines keep the orientation they have in storage. Line i of a block lies at
// (kQuad * 4 + i) * step + quad. Its step is the tile's quads of rows or columns, and one more where lines run
// along k: neighbours store such lines a step or more apart, which else were the same bank of memory.

override WIDTH: u32 = 8u;
override HEIGHT: u32 = 8u;
override ROW_QUADS: u32 = 2u;
override COLUMN_QUADS: u32 = 2u;
override K_QUADS: u32 = 4u;
override A_STEP: u32 = 17u;
override B_STEP: u32 = 16u;
override A_SIZE: u32 = 272u; // 4 * K_QUADS * A_STEP
override B_SIZE: u32 = 256u; // 4 * K_QUADS * B_STEP

var<workgroup> aTile: array<elem4, A_SIZE>;
var<workgroup> bTile: array<elem4, B_SIZE>;

/** Where the n-th line that is loaded belongs, such that neighbours load neighbouring words of storage. */
struct Place { kQuad: u32, quad: u32, i: u32 }

fn placeOf(n: u32, quads: u32, alongK: bool) -> Place {
  if (alongK) {
    let outer = n / K_QUADS;
    return Place(n % K_QUADS, outer / 4u, outer % 4u);
  }
  let outer = n / quads;
  return Place(outer / 4u, n % quads, outer % 4u);
}

fn stage(tile: Tile, firstQuad: u32, local: u32) {
  let rowQuads = HEIGHT * ROW_QUADS;
  let columnQuads = WIDTH * COLUMN_QUADS;
  for (var n = local; n < 4u * K_QUADS * rowQuads; n += WIDTH * HEIGHT) {
    let p = placeOf(n, rowQuads, !A_TRANSPOSED);
    let line = aLine(tile.a, tile.row * rowQuads + p.quad, firstQuad + p.kQuad, p.i);
    aTile[(4u * p.kQuad + p.i) * A_STEP + p.quad] = select(elem4(), line, firstQuad + p.kQuad < tile.endQuad);
  }
  for (var n = local; n < 4u * K_QUADS * columnQuads; n += WIDTH * HEIGHT) {
    let p = placeOf(n, columnQuads, B_TRANSPOSED);
    let line = bLine(tile.b, firstQuad + p.kQuad, tile.column * columnQuads + p.quad, p.i);
    bTile[(4u * p.kQuad + p.i) * B_STEP + p.quad] = select(elem4(), line, firstQuad + p.kQuad < tile.endQuad);
  }
}

fn stagedA(kQuad: u32, quad: u32) -> mat4x4f {
  let at = 4u * kQuad * A_STEP + quad;
  return aMatrix(aTile[at], aTile[at + A_STEP], aTile[at + 2u * A_STEP], aTile[at + 3u * A_STEP]);
}

fn stagedB(kQuad: u32, quad: u32) -> mat4x4f {
  let at = 4u * kQuad * B_STEP + quad;
  return bMatrix(bTile[at], bTile[at + B_STEP], bTile[at + 2u * B_STEP], bTile[at + 3u * B_STEP]);
}

fn storeBlock(plane: u32, rowQuad: u32, columnQuad: u32, v: mat4x4f) {
  for (var i = 0u; i < 4u; i++) { store(plane, 4u * rowQuad + i, 4u * columnQuad, v[i]); }
}

@compute @workgroup_size(WIDTH, HEIGHT)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_id) id: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let tile = tileOf(number);

  var s00: mat4x4f; var s01: mat4x4f;
  var s10: mat4x4f; var s11: mat4x4f;
  for (var q = tile.firstQuad; q < tile.endQuad; q += K_QUADS) {
    stage(tile, q, local);
    workgroupBarrier();
    for (var k = 0u; k < K_QUADS; k++) {
      let a0 = stagedA(k, id.y);
      let b0 = stagedB(k, id.x);
      s00 += b0 * a0;
      if (COLUMN_QUADS > 1u) {
        let b1 = stagedB(k, id.x + WIDTH);
        s01 += b1 * a0;
        if (ROW_QUADS > 1u) { s11 += b1 * stagedA(k, id.y + HEIGHT); }
      }
      if (ROW_QUADS > 1u) { s10 += b0 * stagedA(k, id.y + HEIGHT); }
    }
    workgroupBarrier();
  }

  let r = tile.row * HEIGHT * ROW_QUADS + id.y;
  let c = tile.column * WIDTH * COLUMN_QUADS + id.x;
  storeBlock(tile.plane, r, c, s00);
  if (COLUMN_QUADS > 1u) { storeBlock(tile.plane, r, c + WIDTH, s01); }
  if (ROW_QUADS > 1u) {
    storeBlock(tile.plane, r + HEIGHT, c, s10);
    if (COLUMN_QUADS > 1u) { storeBlock(tile.plane, r + HEIGHT, c + WIDTH, s11); }
  }
}
