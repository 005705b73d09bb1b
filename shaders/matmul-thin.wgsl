// Matrix product of few steps, k from 1 to 16: an invocation keeps its four columns of B and lets rows go by, so that
// nearly all that it does is to store. Nothing is staged, packed or padded.
//
// A  [batch, m, k]: neighbours along a row are aStep elements apart, rows aRow
// B  [batch, k, n], or [batch, n, k] where it is transposed
// In front: `aQuad(at, count)` and `bLine(at, k)` read the first `count` of four elements of a row of A, and four
// columns of one k of B; `store(plane, row, column, v)` writes four columns of one row.
//
// A workgroup of WIDTH × HEIGHT × DEPTH invocations owns WIDTH quads of columns by HEIGHT * `rows` rows of DEPTH matrices.
// Neighbours own neighbouring quads, and an invocation every HEIGHT-th row, so that they store side by side.

struct Params {
  m: u32, n: u32, batch: u32, alpha: f32,
  // Rows of an invocation.
  rows: u32,
  // Elements from one to the next.
  aRow: u32, aStep: u32, aBatch: u32,
  bColumn: u32, bStep: u32, bBatch: u32,
}

@group(0) @binding(3) var<uniform> params: Params;

override WIDTH: u32 = 16u;
override HEIGHT: u32 = 4u;
override DEPTH: u32 = 1u;
override K: u32 = 4u;

/** How many of the four k from `first` on there are. */
fn countFrom(first: u32) -> u32 { return min(max(K, first) - first, 4u); }

/** A column of the matrix for each k. */
fn bBlock(at: u32, first: u32) -> mat4x4f {
  var block: mat4x4f;
  block[0] = bLine(at, first);
  if (countFrom(first) > 1u) { block[1] = bLine(at, first + 1u); }
  if (countFrom(first) > 2u) { block[2] = bLine(at, first + 2u); }
  if (countFrom(first) > 3u) { block[3] = bLine(at, first + 3u); }
  return block;
}

fn times(block: mat4x4f, row: vec4f, count: u32) -> vec4f {
  if (count == 1u) { return block[0] * row.x; }
  if (count == 2u) { return block[0] * row.x + block[1] * row.y; }
  if (count == 3u) { return block[0] * row.x + block[1] * row.y + block[2] * row.z; }
  return block * row;
}

@compute @workgroup_size(WIDTH, HEIGHT, DEPTH)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = 4u * (group.x * WIDTH + local.x);
  let first = group.y * HEIGHT * params.rows + local.y;
  let plane = group.z * DEPTH + local.z;
  if (column >= params.n || first >= params.m || plane >= params.batch) { return; }
  let b = plane * params.bBatch + column * params.bColumn;
  let b0 = bBlock(b, 0u);
  var b1: mat4x4f;
  var b2: mat4x4f;
  var b3: mat4x4f;
  if (K > 4u) { b1 = bBlock(b, 4u); }
  if (K > 8u) { b2 = bBlock(b, 8u); }
  if (K > 12u) { b3 = bBlock(b, 12u); }
  let end = min(first + params.rows * HEIGHT, params.m);
  for (var row = first; row < end; row += HEIGHT) {
    let a = plane * params.aBatch + row * params.aRow;
    var v = times(b0, aQuad(a, countFrom(0u)), countFrom(0u));
    if (K > 4u) { v += times(b1, aQuad(a + 4u * params.aStep, countFrom(4u)), countFrom(4u)); }
    if (K > 8u) { v += times(b2, aQuad(a + 8u * params.aStep, countFrom(8u)), countFrom(8u)); }
    if (K > 12u) { v += times(b3, aQuad(a + 12u * params.aStep, countFrom(12u)), countFrom(12u)); }
    store(plane, row, column, v);
  }
}
