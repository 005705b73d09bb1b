// One step of a recurrent net back through time, or one of its two turns, over all sequences. A workgroup owns
// `columns` times four units of direction d for `batch_tile` sequences; `parts` invocations share a column's rows.
//   trace    [steps, batch, directions, slots, hidden], what the forward pass kept
//   weights  [directions, gates, hidden] rows of `quads` times four columns: recurrent weights, zeros past `hidden`
//   delta    [steps, batch, directions, gates, hidden], the gradients of the recurrent products
//   state    the first and third of three regions of [directions, batch, hidden]: of each unit the gradients of output
//            and memory, as far as no product leads there (recurrent-border.wgsl)
// In front: elem, elem4, gates, slots, batch_tile, Sums, multiply, gates_of, retreat, rest, Place, accesses, operand.

override columns: u32 = 16;
override parts: u32 = 4;
override hidden: u32 = 64;
override quads: u32 = 16;
override sum_slots: u32 = 64; // batch_tile * parts * columns

struct Params {
  steps: u32,
  batch: u32,
  directions: u32,
  step: u32, // `steps` and more where there is no such step
  before: u32, // the step whose gates' gradients the products read, likewise
  turn: u32,
  backwards: vec4u,
}

@group(0) @binding(0) var<storage, read> trace: array<elem>;
@group(0) @binding(1) var<storage, read_write> delta: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> state: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<elem4>;

var<workgroup> sums: array<vec4f, sum_slots>;

// Where the tile's sequences have their rows of `delta`, and the invocation's number among four neighbours.
struct Operands { rows: array<u32, batch_tile>, lane: u32 }

fn rows_at(operands: Operands, i: u32, gate: u32, q: u32) -> vec4f {
  return operand(operands.rows[i] + gate * hidden, 4u * q, operands.lane);
}

fn delta_at(row: u32, k: u32) -> f32 {
  if (hidden % 4u == 0u) { return f32(delta[row + k]); }
  return select(0.0, f32(delta[row + min(k, hidden - 1u)]), k < hidden);
}

fn put(at: Place, gate: u32, recurrent: f32, own: f32) {
  delta[at.row + gate * hidden] = elem(recurrent);
  store_input(at.row + gate * hidden, own);
}

fn row_of(step: u32, b: u32, d: u32) -> u32 {
  let length = length_of(b);
  let t = select(step, length - 1u - step, step < length && params.backwards[d] != 0u);
  return (t * params.batch + b) * params.directions + d;
}

@compute @workgroup_size(columns, parts)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = group.z * batch_tile;
  let d = group.y;
  let column = group.x * columns + local.x;
  var own = Sums();
  if (params.before < params.steps) {
    var operands = Operands();
    operands.lane = local.x % 4u;
    for (var i = 0u; i < batch_tile; i++) {
      operands.rows[i] = row_of(params.before, min(first + i, params.batch - 1u), d) * gates * hidden;
    }
    own = multiply(params.turn, d, min(column, quads - 1u), local.y, operands);
  }
  for (var i = 0u; i < batch_tile; i++) { sums[(local.y * batch_tile + i) * columns + local.x] = own[i]; }
  workgroupBarrier();
  let lane = local.y * columns + local.x;
  for (var k = lane; k < batch_tile * columns * 4u; k += columns * parts) {
    let i = k / (columns * 4u);
    let place = k % (columns * 4u);
    var sum = 0f;
    for (var part = 0u; part < parts; part++) { sum += sums[(part * batch_tile + i) * columns + place / 4u][place % 4u]; }
    finish(first + i, d, group.x * columns * 4u + place, sum);
  }
}

fn finish(b: u32, d: u32, unit: u32, product: f32) {
  if (b >= params.batch || unit >= hidden) { return; }
  let own = (d * params.batch + b) * hidden + unit;
  let memory = 2u * params.directions * params.batch * hidden + own;
  let old = vec2f(state[own], state[memory]);
  let up = select(product, product + old.x, params.turn == 0u);
  if (params.step >= params.steps) {
    state[own] = up;
    return;
  }
  let row = row_of(params.step, b, d);
  let at = Place(row * slots * hidden + unit, row * gates * hidden + unit, 0u, d, unit);
  if (params.step >= length_of(b)) {
    rest(params.turn, at);
    if (params.turn == 0u) { state[own] = up; }
    return;
  }
  var of_y_here = 0f;
  if (params.turn == 0u) {
    let t = row / params.directions / params.batch;
    of_y_here = gradient_y(((t * params.directions + d) * params.batch + b) * hidden + unit);
  }
  let next = retreat(params.turn, at, up + of_y_here, old);
  state[own] = next.x;
  state[memory] = next.y;
}
