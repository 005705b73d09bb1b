// Product of many rows with columns of small integers, four factors an instruction: both are staged through workgroup
// memory. Stands behind the same text as dot4-rows.wgsl.
//
// A workgroup of 8 × 8 invocations owns 32 * ROW_QUADS rows by 32 columns and stages two chunks of sixteen k at a time.
// Invocation (x, y) owns columns 4x to 4x + 3 of rows 4y to 4y + 3, and of those 32 further on.

override ROW_QUADS: u32 = 2u; // 1 or 2
override ROW_TILE: u32 = 128u; // 64 * ROW_QUADS

const side = 32u;

// Chunk i of row r lies at i * side * ROW_QUADS + r; likewise of columns.
var<workgroup> rowTile: array<Row, ROW_TILE>;
var<workgroup> columnTile: array<Column, 64>;

/** Past the last chunk nothing, which adds nothing. */
fn stage(firstRow: u32, firstColumn: u32, chunk: u32, local: u32) {
  var column = Column();
  if (chunk + local / side < params.chunks) { column = columnAt(firstColumn + local % side, chunk + local / side); }
  columnTile[local] = column;
  let rows = side * ROW_QUADS;
  for (var i = local; i < ROW_TILE; i += 64u) {
    var row = Row();
    if (chunk + i / rows < params.chunks) { row = rowAt(firstRow + i % rows, chunk + i / rows); }
    rowTile[i] = row;
  }
}

fn terms(r: Row, c0: Column, c1: Column, c2: Column, c3: Column) -> number4 {
  return number4(term(r, c0), term(r, c1), term(r, c2), term(r, c3));
}

@compute @workgroup_size(8, 8)
fn main(
  @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_id) id: vec3u, @builtin(local_invocation_index) local: u32,
) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  let firstColumn = number % params.columnTiles * side;
  let firstRow = number / params.columnTiles * side * ROW_QUADS;

  var s0: number4; var s1: number4; var s2: number4; var s3: number4;
  var s4: number4; var s5: number4; var s6: number4; var s7: number4;
  for (var chunk = 0u; chunk < params.chunks; chunk += 2u) {
    stage(firstRow, firstColumn, chunk, local);
    workgroupBarrier();
    for (var i = 0u; i < 2u; i++) {
      let c = i * side + 4u * id.x;
      let r = i * side * ROW_QUADS + 4u * id.y;
      let c0 = columnTile[c];
      let c1 = columnTile[c + 1u];
      let c2 = columnTile[c + 2u];
      let c3 = columnTile[c + 3u];
      s0 += terms(rowTile[r], c0, c1, c2, c3);
      s1 += terms(rowTile[r + 1u], c0, c1, c2, c3);
      s2 += terms(rowTile[r + 2u], c0, c1, c2, c3);
      s3 += terms(rowTile[r + 3u], c0, c1, c2, c3);
      if (ROW_QUADS == 2u) {
        s4 += terms(rowTile[r + side], c0, c1, c2, c3);
        s5 += terms(rowTile[r + side + 1u], c0, c1, c2, c3);
        s6 += terms(rowTile[r + side + 2u], c0, c1, c2, c3);
        s7 += terms(rowTile[r + side + 3u], c0, c1, c2, c3);
      }
    }
    workgroupBarrier();
  }

  let row = firstRow + 4u * id.y;
  let column = firstColumn + 4u * id.x;
  store(row, column, s0);
  store(row + 1u, column, s1);
  store(row + 2u, column, s2);
  store(row + 3u, column, s3);
  if (ROW_QUADS == 2u) {
    store(row + side, column, s4);
    store(row + side + 1u, column, s5);
    store(row + side + 2u, column, s6);
    store(row + side + 3u, column, s7);
  }
}
