// A recurrent net, all steps in one dispatch. Workgroup (b, d) owns sequence b in direction d.
//   projected  [steps, batch, directions, gates, hidden], what the input gives each gate
//   weights    [directions, quads, hidden] of `gates` rows of four columns: recurrent weights, zeros past `hidden`
// `units` invocations side by side take neighbouring units, `parts` of them share a unit's products.
// `vectors` are two that the products read, zeros past `hidden`, and the units' memory. With one turn outputs
// alternate between the two; with two the outputs stay in the first and the second holds what turn 0 prepares.
// In front: elem, gates, UnitRows, rows_of, products_of, advance, length_of, initial_*, store_*, vectors_of, vector,
// set_vector, settle.

override units: u32 = 64;
override parts: u32 = 1;
override hidden: u32 = 64;
override quads: u32 = 16;
override partial_slots: u32 = 1; // units * parts where parts > 1
override turns: u32 = 1; // 2 where the products of some gates need the others' results

struct Params { steps: u32, batch: u32, directions: u32, backwards: vec4u }

@group(0) @binding(0) var<storage, read> projected: array<elem>;
@group(0) @binding(1) var<storage, read> weights: array<UnitRows>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partials: array<vec4f, partial_slots>;

@compute @workgroup_size(units, parts)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let b = group.x;
  let d = group.y;
  let state = (d * params.batch + b) * hidden;
  let lane = local.y * units + local.x;
  let one = vectors_of(group);
  let other = one + 4u * quads;
  let memory = other + 4u * quads;
  for (var k = lane; k < 4u * quads; k += units * parts) {
    var h = 0f;
    var c = 0f;
    if (k < hidden) {
      h = initial_h(state + k);
      c = initial_c(state + k);
    }
    set_vector(one + k, h);
    set_vector(other + k, 0.0);
    set_vector(memory + k, c);
  }
  settle();

  let length = length_of(b);
  var last = one;
  for (var step = 0u; step < params.steps; step++) {
    let running = step < length;
    let t = select(step, length - 1u - step, running && params.backwards[d] != 0u);
    let row = (t * params.batch + b) * params.directions + d;
    for (var turn = 0u; turn < turns; turn++) {
      let operand = select(last, other, turn == 1u);
      let next = select(select(one, other, last == one), one, turn == 1u);
      for (var first = 0u; first < hidden; first += units) {
        let unit = first + local.x;
        let owner = local.y == 0u && unit < hidden;
        var x = vec4f();
        if (owner) { x = inputs_of(row * gates * hidden + unit); }
        let sums = join(products_along(d, operand, min(unit, hidden - 1u), local.y, turn), local);
        if (owner) {
          let old = vec2f(vector(last + unit), vector(memory + unit));
          let now = select(old, advance(turn, d, row, unit, x, sums, old), running);
          set_vector(next + unit, now.x);
          set_vector(memory + unit, now.y);
          if (turn + 1u == turns) {
            store_y(((t * params.directions + d) * params.batch + b) * hidden + unit, select(0.0, now.x, running));
          }
        }
      }
      settle();
    }
    if (turns == 1u) { last = select(one, other, last == one); }
  }
  for (var k = lane; k < hidden; k += units * parts) {
    store_h(state + k, vector(last + k));
    store_c(state + k, vector(memory + k));
  }
}

fn products_along(d: u32, operand: u32, unit: u32, part: u32, turn: u32) -> vec4f {
  var sums = vec4f();
  for (var k = part; k < quads; k += parts) {
    let at = operand + 4u * k;
    let v = vec4f(vector(at), vector(at + 1u), vector(at + 2u), vector(at + 3u));
    sums += products_of(rows_of((d * quads + k) * hidden + unit, turn), v, turn);
  }
  return sums;
}

// The sum over the parts, in part 0.
fn join(sums: vec4f, local: vec3u) -> vec4f {
  if (parts == 1u) { return sums; }
  partials[local.y * units + local.x] = sums;
  workgroupBarrier();
  var total = vec4f();
  if (local.y == 0u) {
    for (var part = 0u; part < parts; part++) { total += partials[part * units + local.x]; }
  }
  if (units < hidden) { workgroupBarrier(); }
  return total;
}
