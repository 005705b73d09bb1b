// What every attention shader starts from: the sizes, where a workgroup's rows and keys lie, and scores.
//
// q  [batch, heads, queries, depth], k [batch, kvHeads, keys, depth], v [batch, kvHeads, keys, valueDepth] in any
// order of heads and positions: `…Steps` are the elements from one batch, head, position to the next. Keys and values
// begin at element `.w` of theirs, where they lie in one tensor with the queries.
// The heads that share a kv head are one plane of `rows` = group * queries rows, so that they share its keys.
//
// Depth, rows and keys are dealt with four at a time ("quads"), in blocks of 4 × 4: a block of scores has a
// column for each row and a lane for each key. Rows and keys past the edge repeat the last one; such keys
// are hidden, such rows are never stored.
//
// In front: `maskBits(at)` are the bits of the f32 added to a score, those of -inf where the key is hidden;
// `validKeys(batch)` is the number of keys before padding; `sinkOf(head)` is a score that takes part in the
// sum alone.

struct Params {
  qSteps: vec4u, kSteps: vec4u, vSteps: vec4u, ySteps: vec4u,
  // w: keys that the mask covers; it hides those behind.
  maskSteps: vec4u,
  rows: u32, queries: u32, keys: u32, depth: u32, valueDepth: u32, group: u32, kvHeads: u32,
  rowTiles: u32, columnTiles: u32, splits: u32, items: u32,
  scale: f32, softcap: f32,
  // Query i sees keys up to i + offset, and no further back than `window` of them.
  offset: i32, window: i32,
}

@group(0) @binding(4) var<uniform> params: Params;

override CAUSAL: bool = false;
/** Whether the last query sees the last valid key, in place of `offset`. */
override FROM_END: bool = false;
override WINDOWED: bool = false;
override MASKED: bool = false;
override SOFTCAP: bool = false;
override SINK: bool = false;

// Scores are clamped to `least`, so that a row whose scores are all the smallest number still has a mean.
const least = -3e38f;
const hiddenScore = -3.4028234e38f;

struct Plane { batch: u32, kvHead: u32, k: u32, v: u32, valid: i32, offset: i32 }

fn planeOf(number: u32) -> Plane {
  let batch = number / params.kvHeads;
  let kvHead = number % params.kvHeads;
  let valid = clamp(validKeys(batch), 0i, i32(params.keys));
  return Plane(
    batch, kvHead,
    batch * params.kSteps.x + kvHead * params.kSteps.y + params.kSteps.w,
    batch * params.vSteps.x + kvHead * params.vSteps.y + params.vSteps.w,
    valid,
    select(params.offset, valid - i32(params.queries), FROM_END));
}

fn headOf(plane: Plane, row: u32) -> u32 {
  return plane.kvHead * params.group + min(row, params.rows - 1u) / params.queries;
}

fn positionOf(row: u32) -> u32 {
  return min(row, params.rows - 1u) % params.queries;
}

fn startOf(plane: Plane, row: u32, steps: vec4u) -> u32 {
  return plane.batch * steps.x + headOf(plane, row) * steps.y + positionOf(row) * steps.z;
}

/** First key that any of these rows may see, a multiple of four, and the end of those keys. */
fn keyRange(plane: Plane, firstRow: u32, lastRow: u32) -> vec2u {
  var begin = 0i;
  var end = plane.valid;
  if (CAUSAL) {
    let sameHead = headOf(plane, firstRow) == headOf(plane, lastRow);
    let firstPosition = select(0u, positionOf(firstRow), sameHead);
    let lastPosition = select(params.queries - 1u, positionOf(lastRow), sameHead);
    end = min(end, i32(lastPosition) + plane.offset + 1i);
    if (WINDOWED) { begin = i32(firstPosition) + plane.offset + 1i - params.window; }
  }
  return vec2u(u32(max(begin, 0i)) & 0xfffffffcu, u32(max(end, 0i)));
}

fn finishRow(products: vec4f, plane: Plane, row: u32, key: u32) -> vec4f {
  var s = params.scale * products;
  if (SOFTCAP) { s = params.softcap * tanh(clamp(s / params.softcap, vec4f(-15.0), vec4f(15.0))); }
  let keys = vec4i(i32(key)) + vec4i(0i, 1i, 2i, 3i);
  var seen = keys < vec4i(plane.valid);
  if (CAUSAL) {
    let last = vec4i(i32(positionOf(row)) + plane.offset);
    seen = seen & (keys <= last);
    if (WINDOWED) { seen = seen & (keys > last - params.window); }
  }
  if (MASKED) {
    let steps = params.maskSteps;
    let at = startOf(plane, row, steps) + key;
    var bits: vec4u;
    for (var i = 0u; i < 4u; i++) { bits[i] = maskBits(at + i); }
    seen = seen & (keys < vec4i(i32(steps.w))) & (bits != vec4u(0xff800000u));
    s += select(vec4f(), bitcast<vec4f>(bits), seen);
  }
  return select(vec4f(hiddenScore), max(s, vec4f(least)), seen);
}

/** Scores of four rows and four keys from their scalar products; hiddenScore where a row does not see a key. */
fn finish(products: mat4x4f, plane: Plane, row: u32, key: u32) -> mat4x4f {
  var s = products;
  for (var r = 0u; r < 4u; r++) { s[r] = finishRow(s[r], plane, row + r, key); }
  return s;
}
