// Sparse matrix of blocks times a vector, blocks of ROWS × INPUTS elements: 4×1, 1×4 or 4×4.
//
// values, columns, table  see sparse-block-pack.wgsl; `rangeOf`, `lineAt`, `blockAt`, `columnAt`, `columnPair` (in front) read
// them
// `denseAt(i)`, `denseQuad(column)` (in front) read an element of the vector, and four from 4 * column on;
// `store(row, v)` (in front) writes one result.
// A workgroup owns HEIGHT quads of rows. A quad has LANES invocations, which take blocks in turn: neighbours read
// neighbouring blocks. Their sums are added in a fixed order.

struct Params { rows: u32, length: u32, quads: u32, alpha: f32 }

@group(0) @binding(5) var<uniform> params: Params;

override ROWS: u32 = 4u;
override INPUTS: u32 = 4u;
override LANES: u32 = 1u; // a power of two
override HEIGHT: u32 = 16u;

/** Of the four rows, or of one of them, what the blocks from `from` on in steps of all lanes add up to. */
fn sumOf(range: vec2u, lane: u32) -> vec4f {
  var sum = vec4f();
  if (ROWS * INPUTS == 16u) {
    for (var i = range.x + lane; i < range.y; i += LANES) {
      sum += denseQuad(columnAt(i)) * blockAt(i);
    }
  } else {
    for (var i = range.x + 2u * lane; i < range.y; i += 2u * LANES) {
      let pair = columnPair(i);
      if (INPUTS == 1u) {
        sum += denseAt(pair.x) * lineAt(i) + denseAt(pair.y) * lineAt(i + 1u);
      } else {
        sum += denseQuad(pair.x) * lineAt(i) + denseQuad(pair.y) * lineAt(i + 1u);
      }
    }
  }
  return sum;
}

fn quadOf(rows: u32, lane: u32) -> vec4f {
  if (ROWS == 4u) { return sumOf(rangeOf(rows), lane); }
  var sums = vec4f();
  for (var row = 0u; row < 4u; row++) { sums[row] = dot(sumOf(rangeOf(4u * rows + row), lane), vec4f(1.0)); }
  return sums;
}
