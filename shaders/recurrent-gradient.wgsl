// A recurrent net back through time, all steps in one dispatch. Workgroup (i, d) owns `batch_tile` sequences in direction d.
//   trace    [steps, batch, directions, slots, hidden], what the forward pass kept
//   weights  [directions, gates, hidden] rows of `quads` times four columns: recurrent weights, zeros past `hidden`
//   delta    [steps, batch, directions, gates, hidden], the gradients of the recurrent products
// `columns` invocations side by side take neighbouring columns, `parts` of them share the rows.
// In front: elem, elem4, gates, slots, batch_tile, Sums, multiply, gates_of, retreat, rest, Place, accesses.

override columns: u32 = 32;
override parts: u32 = 1;
override hidden: u32 = 64;
override quads: u32 = 16;
override turns: u32 = 1; // 2 where some gates need the products of the others' gradients
override delta_slots: u32 = 256; // batch_tile * gates * 4 * quads
override sum_slots: u32 = 16; // batch_tile * parts * quads
override carried_slots: u32 = 64; // batch_tile * hidden

struct Params { steps: u32, batch: u32, directions: u32, backwards: vec4u }

@group(0) @binding(0) var<storage, read> trace: array<elem>;
@group(0) @binding(1) var<storage, read> weights: array<elem4>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> delta: array<elem>;

// The last step's part of `delta`, each gate filled up to whole quads with zeros.
var<workgroup> last: array<f32, delta_slots>;
var<workgroup> sums: array<vec4f, sum_slots>;
// Of each unit the gradients of output and memory, as far as no product leads there.
var<workgroup> carried: array<vec2f, carried_slots>;

struct Operands { unused: u32 }

fn rows_at(operands: Operands, i: u32, gate: u32, q: u32) -> vec4f {
  let at = ((i * gates + gate) * quads + q) * 4u;
  return vec4f(last[at], last[at + 1u], last[at + 2u], last[at + 3u]);
}

fn put(at: Place, gate: u32, recurrent: f32, own: f32) {
  delta[at.row + gate * hidden] = elem(recurrent);
  store_input(at.row + gate * hidden, own);
  last[at.vector + gate * quads * 4u] = recurrent;
}

@compute @workgroup_size(columns, parts)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = group.x * batch_tile;
  let d = group.y;
  let lane = local.y * columns + local.x;
  let invocations = columns * parts;
  for (var k = lane; k < delta_slots; k += invocations) { last[k] = 0.0; }
  for (var k = lane; k < carried_slots; k += invocations) {
    let state = state_of(first, d, k);
    carried[k] = vec2f(initial_h(state), initial_c(state));
  }
  workgroupBarrier();
  // Once more than there are steps, for what the first one has its last output from.
  for (var left = params.steps + 1u; left > 0u; left--) {
    for (var turn = 0u; turn < turns; turn++) {
      multiply_all(turn, d, local);
      workgroupBarrier();
      for (var k = lane; k < carried_slots; k += invocations) {
        if (left > 1u) { finish(turn, left - 2u, first, d, k); } else if (turn == 0u) { store(first, d, k); }
      }
      workgroupBarrier();
    }
  }
}

fn store(first: u32, d: u32, k: u32) {
  if (first + k / hidden >= params.batch) { return; }
  store_h(state_of(first, d, k), carried[k].x + sum_of(k));
  store_c(state_of(first, d, k), carried[k].y);
}

fn state_of(first: u32, d: u32, k: u32) -> u32 {
  return (d * params.batch + min(first + k / hidden, params.batch - 1u)) * hidden + k % hidden;
}

fn multiply_all(turn: u32, d: u32, local: vec3u) {
  for (var column = local.x; column < quads; column += columns) {
    let own = multiply(turn, d, column, local.y, Operands(0u));
    for (var i = 0u; i < batch_tile; i++) { sums[(local.y * batch_tile + i) * quads + column] = own[i]; }
  }
}

fn sum_of(k: u32) -> f32 {
  var sum = 0f;
  let unit = k % hidden;
  for (var part = 0u; part < parts; part++) {
    sum += sums[(part * batch_tile + k / hidden) * quads + unit / 4u][unit % 4u];
  }
  return sum;
}

fn finish(turn: u32, step: u32, first: u32, d: u32, k: u32) {
  let i = k / hidden;
  let unit = k % hidden;
  let b = first + i;
  if (b >= params.batch) { return; }
  let length = length_of(b);
  let running = step < length;
  let t = select(step, length - 1u - step, running && params.backwards[d] != 0u);
  let row = (t * params.batch + b) * params.directions + d;
  let at = Place(row * slots * hidden + unit, row * gates * hidden + unit, i * gates * quads * 4u + unit, d, unit);
  let old = carried[k];
  let product = sum_of(k);
  let up = select(product, product + old.x, turn == 0u);
  if (running) {
    var of_y_here = 0f;
    if (turn == 0u) { of_y_here = gradient_y(((t * params.directions + d) * params.batch + b) * hidden + unit); }
    carried[k] = retreat(turn, at, up + of_y_here, old);
  } else {
    rest(turn, at);
    if (turn == 0u) { carried[k].x = up; }
  }
}
