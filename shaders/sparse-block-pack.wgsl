// Packs the blocks of a matrix that have a non-zero, once at load: blocks of ROWS × INPUTS elements, 4×1, 1×4 or 4×4.
//
// source   the matrix [rows, length]: element (r, i) lies at r * rowStep + i * inputStep. In front: `numberAt(at)`, and
//          `putFour(place, four)` for the values
// table    behind `tableStart` for each row of blocks where its blocks begin and end
// values   four elements a line. 4×1: the four rows, 1×4: the four inputs, 4×4: four lines of inputs, row by row
// columns  the blocks' columns, two to a word
// An invocation takes a row of blocks. Where the end is past the last block, the rest is zeros in the last one's column.

struct Params { rows: u32, length: u32, blockRows: u32, tableStart: u32, rowStep: u32, inputStep: u32 }

@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read_write> columns: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

override ROWS: u32 = 4u;
override INPUTS: u32 = 4u;
override LANES: u32 = 64u;

fn element(row: u32, input: u32) -> number {
  let inside = (row < params.rows) && (input < params.length);
  return select(number(), numberAt(row * params.rowStep + input * params.inputStep), inside);
}

/** The four inputs of a row, or where a block has one input its four rows. */
fn line(row: u32, input: u32) -> number4 {
  if (INPUTS == 4u) {
    return number4(element(row, input), element(row, input + 1u), element(row, input + 2u), element(row, input + 3u));
  }
  return number4(element(row, input), element(row + 1u, input), element(row + 2u, input), element(row + 3u, input));
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let blockRow = linear_workgroup(group, count) * LANES + local;
  if (blockRow >= params.blockRows) { return; }
  let row = blockRow * ROWS;
  let lines = select(1u, 4u, ROWS * INPUTS == 16u);
  let end = table[params.tableStart + 2u * blockRow + 1u];
  var at = table[params.tableStart + 2u * blockRow];
  var word = 0u;
  var column = 0u;
  for (var input = 0u; input < params.length; input += INPUTS) {
    var block = array<number4, 4>(line(row, input), number4(), number4(), number4());
    var some = any(block[0] != number4());
    for (var i = 1u; i < lines; i++) {
      block[i] = line(row + i, input);
      some = some || any(block[i] != number4());
    }
    if (!some || at >= end) { continue; }
    for (var i = 0u; i < lines; i++) { putFour(at * lines + i, block[i]); }
    column = input / INPUTS;
    word = select(word | (column << 16u), column, (at & 1u) == 0u);
    columns[at >> 1u] = word;
    at++;
  }
  for (; at < end; at++) {
    for (var i = 0u; i < lines; i++) { putFour(at * lines + i, number4()); }
    columns[at >> 1u] = select(word | (column << 16u), column, (at & 1u) == 0u);
  }
}
