// One step of a recurrent net, or one of its two turns, over all sequences. A workgroup owns `units` units of
// direction d for `batch_tile` sequences, four at most; `parts` invocations share a unit's products and then join, each for some of the sequences.
//   projected  [steps, batch, directions, gates, hidden], what the input gives each gate
//   weights    [directions, quads, hidden] of `gates` rows of four columns: recurrent weights, zeros past `hidden`
//   state      three regions of [directions, batch, 4 * quads]: two vectors that the products read, zeros past
//              `hidden`, and the units' memory
// In front: elem, gates, UnitRows, batch_tile, rows_of, products_of, advance, length_of, store_y.

override units: u32 = 16;
override parts: u32 = 8;
override hidden: u32 = 64;
override quads: u32 = 16;
override partial_slots: u32 = 512; // units * parts * batch_tile where parts > 1, else 1
override turns: u32 = 1;

struct Params {
  steps: u32,
  batch: u32,
  directions: u32,
  step: u32,
  turn: u32,
  last: u32, // region of the last output
  operand: u32, // region that the products read
  next: u32, // region that the results go to
  backwards: vec4u,
}

@group(0) @binding(0) var<storage, read> projected: array<elem>;
@group(0) @binding(1) var<storage, read> weights: array<UnitRows>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> state: array<f32>;

var<workgroup> partials: array<vec4f, partial_slots>;

fn place(region: u32, d: u32, b: u32) -> u32 {
  return ((region * params.directions + d) * params.batch + b) * 4u * quads;
}

fn operand(d: u32, b: u32, k: u32) -> vec4f {
  let at = place(params.operand, d, min(b, params.batch - 1u)) + 4u * k;
  return vec4f(state[at], state[at + 1u], state[at + 2u], state[at + 3u]);
}

@compute @workgroup_size(units, parts)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let unit = group.x * units + local.x;
  let d = group.y;
  let first = group.z * batch_tile;
  let column = min(unit, hidden - 1u);
  // One by one: an array that a loop indexes is memory on a CPU.
  var s0 = vec4f();
  var s1 = vec4f();
  var s2 = vec4f();
  var s3 = vec4f();
  for (var k = local.y; k < quads; k += parts) {
    let rows = rows_of((d * quads + k) * hidden + column, params.turn);
    s0 += products_of(rows, operand(d, first, k), params.turn);
    if (batch_tile > 1u) { s1 += products_of(rows, operand(d, first + 1u, k), params.turn); }
    if (batch_tile > 2u) { s2 += products_of(rows, operand(d, first + 2u, k), params.turn); }
    if (batch_tile > 3u) { s3 += products_of(rows, operand(d, first + 3u, k), params.turn); }
  }
  let sums = array(s0, s1, s2, s3);
  if (parts == 1u) {
    for (var i = 0u; i < batch_tile; i++) { finish(unit, d, first + i, sums[i]); }
    return;
  }
  for (var i = 0u; i < batch_tile; i++) { partials[(i * parts + local.y) * units + local.x] = sums[i]; }
  workgroupBarrier();
  if (local.y >= batch_tile) { return; }
  var total = vec4f();
  for (var part = 0u; part < parts; part++) { total += partials[(local.y * parts + part) * units + local.x]; }
  finish(unit, d, first + local.y, total);
}

fn finish(unit: u32, d: u32, b: u32, products: vec4f) {
  if (b >= params.batch || unit >= hidden) { return; }
  let length = length_of(b);
  let running = params.step < length;
  let t = select(params.step, length - 1u - params.step, running && params.backwards[d] != 0u);
  let row = (t * params.batch + b) * params.directions + d;
  let x = inputs_of(row * gates * hidden + unit);
  let memory = place(2u, d, b) + unit;
  let old = vec2f(state[place(params.last, d, b) + unit], state[memory]);
  let now = select(old, advance(params.turn, d, row, unit, x, products, old), running);
  state[place(params.next, d, b) + unit] = now.x;
  state[memory] = now.y;
  if (params.turn + 1u == turns) {
    store_y(((t * params.directions + d) * params.batch + b) * hidden + unit, select(0.0, now.x, running));
  }
}
