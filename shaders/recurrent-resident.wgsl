// A recurrent net, all steps in one dispatch, with its recurrent weights held by the invocations: they are loaded
// once, not at every step. Workgroup (b, d) owns sequence b in direction d. Four neighbours own `quad_units` units;
// each of them multiplies a quarter of the last output by all gates of those units, then they join.
//   projected  [steps, batch, directions, gates, hidden], what the input gives each gate
//   weights    [directions, quads, hidden] of `gates` rows of four columns: recurrent weights, zeros past `hidden`
// `vectors` are two vectors that the products read, zeros past `hidden`. With one turn outputs alternate between
// them; with two the outputs stay in the first and the second holds what turn 0 prepares for turn 1.
// In front: elem, gates, UnitRows, quad_units, vector_size, held_quads, hold_rows, products_0, products_1, advance, length_of, initial_*,
// store_*, vectors_of, vector, set_vector, settle, and of the joins `join`, `unit_of` and `owns`.

override invocations: u32 = 256; // four for each `quad_units` units
override hidden: u32 = 64;
override quads: u32 = 16;
override turns: u32 = 1; // 2 where the products of some gates need the others' results

struct Params { steps: u32, batch: u32, directions: u32, backwards: vec4u }

@group(0) @binding(0) var<storage, read> projected: array<elem>;
@group(0) @binding(1) var<storage, read> weights: array<UnitRows>;
@group(0) @binding(2) var<uniform> params: Params;

// The quads of columns `part`, `part` + 4, … of all gates of the own units. Only constants index it in a step, so that
// it can lie in registers.
var<private> held: array<vec4f, held_quads>;

fn hold(d: u32, first: u32, part: u32) {
  for (var i = 0u; i < held_quads / gates; i++) {
    let quad = i / quad_units * 4u + part;
    let unit = min(first + i % quad_units, hidden - 1u);
    hold_rows(i * gates, (d * quads + min(quad, quads - 1u)) * hidden + unit, quad < quads);
  }
}

fn operand(at: u32) -> vec4f {
  return vec4f(vector(at), vector(at + 1u), vector(at + 2u), vector(at + 3u));
}

@compute @workgroup_size(invocations)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let b = group.x;
  let d = group.y;
  let state = (d * params.batch + b) * hidden;
  let part = local % 4u;
  let first = local / 4u * quad_units;
  let unit = first + unit_of(part);
  let owner = owns(part) && unit < hidden;
  let one = vectors_of(group);
  let other = one + vector_size;
  hold(d, first, part);
  for (var k = local; k < vector_size; k += invocations) {
    var h = 0f;
    if (k < hidden) { h = initial_h(state + k); }
    set_vector(one + k, h);
    set_vector(other + k, 0.0);
  }
  var old = vec2f();
  if (owner) { old = vec2f(initial_h(state + unit), initial_c(state + unit)); }
  settle();

  let length = length_of(b);
  for (var step = 0u; step < params.steps; step++) {
    let running = step < length;
    let t = select(step, length - 1u - step, running && params.backwards[d] != 0u);
    let row = (t * params.batch + b) * params.directions + d;
    var x = vec4f();
    if (owner) { x = inputs_of(row * gates * hidden + unit); }
    let even = turns == 2u || step % 2u == 0u;
    let last = select(other, one, even);
    let next = select(one, other, even);
    let products = join(products_0(last + 4u * part), local);
    if (owner) {
      let now = advance(0u, d, row, unit, x, products, old);
      old.y = select(old.y, now.y, running);
      if (turns == 1u) { old.x = select(old.x, now.x, running); }
      set_vector(next + unit, select(old.x, now.x, turns == 2u));
    }
    if (turns == 2u) {
      settle();
      let further = join(products_1(next + 4u * part), local);
      if (owner) {
        let now = advance(1u, d, row, unit, x, further, old);
        old = select(old, now, running);
        set_vector(last + unit, old.x);
      }
    }
    if (owner) { store_y(((t * params.directions + d) * params.batch + b) * hidden + unit, select(0.0, old.x, running)); }
    settle();
  }
  if (owner) {
    store_h(state + unit, old.x);
    store_c(state + unit, old.y);
  }
}
