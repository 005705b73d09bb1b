// Softmax of the rows of a tensor seen as [outer, length, inner]; a row runs along the middle.
//
// input, result: floats, row-major
// A workgroup of lanes × rows invocations owns `rows` rows. The lanes of one row take its quads (four elements)
// in turn, four quads at a time, and join in workgroup memory. Maximum and sum of exponentials come from one
// reading; a row that fits the registers of its lanes is not read again.
// In front: unit, load(base, quad, fill) -> vec4f, store(base, quad, vec4f), scale_of(sum) -> f32,
// finish(shifted, scale) -> vec4f, linear_workgroup.

override lanes: u32 = 64;
override rows: u32 = 1;
override radix: u32 = 8; // divides lanes; best its square root
// Workgroup memory: lanes * rows, and that over radix; 1 where a row has one lane and nothing to join.
override slots: u32 = 64;
override joined_slots: u32 = 8;

struct Params {
  rows: u32, // in all: outer · inner
  quads: u32, // of a row
  length: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> input: array<unit>;
@group(0) @binding(1) var<storage, read_write> result: array<unit>;
@group(0) @binding(2) var<uniform> params: Params;

// The largest element of a part of a row, and the sum of exponentials above it.
var<workgroup> partials: array<vec2f, slots>;
var<workgroup> joined: array<vec2f, joined_slots>;

const lowest = -3.4028234e38f;
// Not a constant, since a constant expression may not be infinite.
var<private> minus_infinity: u32 = 0xff800000u;

@compute @workgroup_size(lanes, rows)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = linear_workgroup(group, groups) * rows + local.y;
  let base = row / params.inner * (params.length * params.inner) + row % params.inner;
  // Rows past the end have no quads, but meet the barriers.
  let quads = select(0u, params.quads, row < params.rows);

  var largest = vec4f(lowest);
  var sum = vec4f();
  var bits = vec4u();
  var x0 = vec4f();
  var x1 = vec4f();
  var x2 = vec4f();
  var x3 = vec4f();
  for (var q = local.x; q < quads; q += 4u * lanes) {
    x0 = load(base, q, bitcast<f32>(minus_infinity));
    x1 = load_within(base, q + lanes, quads);
    x2 = load_within(base, q + 2u * lanes, quads);
    x3 = load_within(base, q + 3u * lanes, quads);
    let next = larger(largest, larger(larger(x0, x1), larger(x2, x3)));
    sum = sum * exp(largest - next) + ((exp(x0 - next) + exp(x1 - next)) + (exp(x2 - next) + exp(x3 - next)));
    largest = next;
    bits = max(bits, max(max(magnitude(x0), magnitude(x1)), max(magnitude(x2), magnitude(x3))));
  }
  let pair = larger(largest, largest.zwxy);
  let top = larger(pair, pair.yxwz).x;
  let total = dot(sum, exp(largest - top));
  let not_a_number = any(bits > vec4u(0x7f800000u));
  let whole = join_lanes(vec2f(top, select(total, nan(), not_a_number)), local);
  // Above an infinity, and of a row with nothing but minus infinity, there are no exponentials to share.
  let strange = is_nan(whole.y) || whole.y == 0.0 || bitcast<u32>(whole.x) == 0x7f800000u;
  let scale = select(scale_of(whole.y), nan(), strange);

  if (params.quads <= 4u * lanes) {
    store_within(base, local.x, quads, finish(x0 - whole.x, scale));
    store_within(base, local.x + lanes, quads, finish(x1 - whole.x, scale));
    store_within(base, local.x + 2u * lanes, quads, finish(x2 - whole.x, scale));
    store_within(base, local.x + 3u * lanes, quads, finish(x3 - whole.x, scale));
  } else {
    for (var q = local.x; q < quads; q += 4u * lanes) {
      x0 = load(base, q, bitcast<f32>(minus_infinity));
      x1 = load_within(base, q + lanes, quads);
      x2 = load_within(base, q + 2u * lanes, quads);
      x3 = load_within(base, q + 3u * lanes, quads);
      store(base, q, finish(x0 - whole.x, scale));
      store_within(base, q + lanes, quads, finish(x1 - whole.x, scale));
      store_within(base, q + 2u * lanes, quads, finish(x2 - whole.x, scale));
      store_within(base, q + 3u * lanes, quads, finish(x3 - whole.x, scale));
    }
  }
}

fn load_within(base: u32, quad: u32, quads: u32) -> vec4f {
  let fill = bitcast<f32>(minus_infinity);
  return select(vec4f(fill), load(base, min(quad, quads - 1u), fill), quad < quads);
}
fn store_within(base: u32, quad: u32, quads: u32, value: vec4f) {
  if (quad < quads) { store(base, quad, value); }
}

// WGSL's own functions need not give NaN for NaN, and `max` of floats takes a software adapter long.
fn larger(a: vec4f, b: vec4f) -> vec4f { return select(a, b, b > a); }
fn magnitude(x: vec4f) -> vec4u { return bitcast<vec4u>(x) & vec4u(0x7fffffffu); }
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn nan() -> f32 { return bitcast<f32>(minus_infinity | 1u); }

// Of two parts of a row: the larger maximum, and the sum of exponentials above it.
fn join(a: vec2f, b: vec2f) -> vec2f {
  let largest = select(a.x, b.x, b.x > a.x);
  return vec2f(largest, a.y * exp(a.x - largest) + b.y * exp(b.x - largest));
}

// In two steps: `radix` neighbours at a time, then what they gave. Few barriers matter more than few steps.
fn join_lanes(value: vec2f, local: vec3u) -> vec2f {
  if (lanes == 1u) { return value; }
  let first = local.y * lanes;
  partials[first + local.x] = value;
  workgroupBarrier();
  if (local.x < lanes / radix) {
    let start = first + local.x * radix;
    var some = partials[start];
    for (var k = 1u; k < radix; k++) { some = join(some, partials[start + k]); }
    joined[local.y * (lanes / radix) + local.x] = some;
  }
  workgroupBarrier();
  let joined_first = local.y * (lanes / radix);
  var whole = joined[joined_first];
  for (var k = 1u; k < lanes / radix; k++) { whole = join(whole, joined[joined_first + k]); }
  return whole;
}
