// Packs the non-zeros of a dense constant into slices of rows, once at load.
//
// source   the dense matrix: element (row, column) of the matrix to pack lies at row * rowStep + column * columnStep. In front:
//          `numberAt(at)` and `numbersAt(at, step)` one and four of them, `putValue(place, value)` for entries in order
// table    [slices + 1]: where each slice begins, in quads of entries; then [slices * SLICE]: the row at each position, or
//          `rows` for a position past the last one
// values   [quads, 4], elements or bytes; columns [quads, 4], 16 bits each or 32 where WIDE
// Run r of RUN quads of the row at lane l of a slice lies (r * SLICE + l) * RUN quads past where the slice begins; rows end in
// entries of value 0.
// `packedIndex(column)` (in front) is what stands for a column.
// An invocation packs one row. Zero is what compares equal to it: there may be fewer others than the table has room for.

struct Params { rows: u32, length: u32, slices: u32, rowStep: u32, columnStep: u32 }

@group(0) @binding(1) var<storage, read> table: array<u32>;
@group(0) @binding(3) var<storage, read_write> columns: array<u32>;
@group(0) @binding(4) var<uniform> params: Params;

override SLICE: u32 = 4u;
override RUN: u32 = 1u;
override WIDE: bool = false;
override LANES: u32 = 64u;

/** Where the first quad of the invocation's row lies, entries that there is room for, and entries packed so far. */
var<private> first: u32;
var<private> room: u32;
var<private> packed: u32;
/** The columns of a pair of entries, or of the first alone. */
var<private> pair: u32;

/** Where entry `i` of the row lies. */
fn placeOf(i: u32) -> u32 { return 4u * first + i / (4u * RUN) * (4u * RUN * SLICE) + i % (4u * RUN); }

fn pack(value: number, column: u32) {
  if (value == number() || packed >= room) { return; }
  let place = placeOf(packed);
  let index = packedIndex(column);
  putValue(place, value);
  if (WIDE) {
    columns[place] = index;
  } else {
    // The second of a pair writes the first again.
    pair = select(index, pair | (index << 16u), (packed & 1u) == 1u);
    columns[place >> 1u] = pair;
  }
  packed++;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let position = linear_workgroup(group, count) * LANES + local;
  let slice = position / SLICE;
  if (slice >= params.slices) { return; }
  first = table[slice] + position % SLICE * RUN;
  room = 4u * ((table[slice + 1u] - table[slice]) / SLICE);
  let row = table[params.slices + 1u + position];
  let length = select(0u, params.length, row < params.rows);
  let start = row * params.rowStep;
  let step = params.columnStep;

  // Four at a time: a CPU's driver (llvmpipe) ends the loops of an invocation after 65,535 turns.
  var column = 0u;
  for (; column + 4u <= length; column += 4u) {
    let numbers = numbersAt(start + column * step, step);
    if (any(numbers != number4())) {
      pack(numbers.x, column);
      pack(numbers.y, column + 1u);
      pack(numbers.z, column + 2u);
      pack(numbers.w, column + 3u);
    }
  }
  for (; column < length; column++) { pack(numberAt(start + column * step), column); }
  for (var i = packed; i < room; i++) {
    let place = placeOf(i);
    putValue(place, number());
    if (WIDE) { columns[place] = 0u; } else if ((i & 1u) == 0u) { columns[place >> 1u] = 0u; }
  }
}
