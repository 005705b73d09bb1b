// What every matmul shader starts from: the sizes, and which part of the result a workgroup owns.
// Result = A · B for each matrix of a batch, [m, k] by [k, n].
//
// Rows, columns and k are dealt with four at a time: "quad q" of rows is rows 4q to 4q + 3.

struct Params {
  m: u32, n: u32, k: u32,
  // Quads of k that one split sums up.
  splitQuads: u32,
  splits: u32, rowTiles: u32, columnTiles: u32, workgroups: u32,
  alpha: f32,
  // Batch dimensions, and the elements that a step along each takes in A and B; 0 where broadcast.
  batchDims: vec4u, aSteps: vec4u, bSteps: vec4u,
}

@group(0) @binding(3) var<uniform> params: Params;

override BATCHED: bool = false;

struct Tile {
  row: u32, column: u32,
  /** The batch times the splits, plus the split. */
  plane: u32,
  /** Elements where the batch's A and B start; range of k in quads. */
  a: u32, b: u32, firstQuad: u32, endQuad: u32,
}

/** The tile of workgroup `number`: columns run fastest, then rows, splits, the batch. */
fn tileOf(number: u32) -> Tile {
  var tile: Tile;
  var rest = number / params.columnTiles;
  tile.column = number % params.columnTiles;
  tile.row = rest % params.rowTiles;
  tile.plane = rest / params.rowTiles;
  tile.firstQuad = tile.plane % params.splits * params.splitQuads;
  tile.endQuad = min(tile.firstQuad + params.splitQuads, (params.k + 3u) / 4u);
  if (BATCHED) {
    rest = tile.plane / params.splits;
    for (var d = 3i; d >= 0i; d--) {
      let at = rest % params.batchDims[d];
      rest /= params.batchDims[d];
      tile.a += at * params.aSteps[d];
      tile.b += at * params.bSteps[d];
    }
  }
  return tile;
}

fn lastQuad(size: u32) -> u32 {
  return (size - 1u) / 4u;
}
