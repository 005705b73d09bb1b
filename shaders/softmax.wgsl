// Softmax of the rows of a tensor seen as [outer, length, inner]; a row runs along the middle.
//
// input, result: floats, row-major
// A workgroup of lanes × rows invocations owns `rows` rows; the lanes of one row take its elements in turn
// and join in workgroup memory. Each element is read three times: for the largest, for the sum of
// exponentials, and for the result.
// In front: elem, finish(shifted, sum) -> f32, linear_workgroup.

override lanes: u32 = 64;
override rows: u32 = 1;
override radix: u32 = 8; // divides lanes; best its square root
// Workgroup memory: lanes * rows, and that over radix; 1 where a row has one lane and nothing to join.
override slots: u32 = 64;
override joined_slots: u32 = 8;

struct Params {
  rows: u32, // in all: outer · inner
  length: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> input: array<elem>;
@group(0) @binding(1) var<storage, read_write> result: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

// The largest element of a part of a row, and the sum of exponentials above it.
var<workgroup> partials: array<vec2f, slots>;
var<workgroup> joined: array<vec2f, joined_slots>;

@compute @workgroup_size(lanes, rows)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let own_row = linear_workgroup(group, groups) * rows + local.y;
  // Rows past the end do the last row's work again, up to the barriers, and store nothing.
  let row = min(own_row, params.rows - 1u);
  let base = row / params.inner * (params.length * params.inner) + row % params.inner;

  var largest = -3.4028234e38f;
  for (var i = local.x; i < params.length; i += lanes) {
    largest = max(largest, f32(input[base + i * params.inner]));
  }
  var sum = 0f;
  for (var i = local.x; i < params.length; i += lanes) {
    sum += exp_of(f32(input[base + i * params.inner]) - largest);
  }
  let whole = join_lanes(vec2f(largest, sum), local);

  if (own_row < params.rows) {
    for (var i = local.x; i < params.length; i += lanes) {
      let at = base + i * params.inner;
      result[at] = elem(finish(f32(input[at]) - whole.x, whole.y));
    }
  }
}

// WGSL's own functions need not give NaN for NaN.
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn exp_of(x: f32) -> f32 { return select(exp(x), x, is_nan(x)); }
// The sum is 0 where the row has nothing but minus infinity.
fn log_of(sum: f32) -> f32 { return select(sum / sum, log(sum), sum > 0.0 && !is_nan(sum)); }

// Of two parts of a row: the larger maximum, and the sum of exponentials above it.
fn join(a: vec2f, b: vec2f) -> vec2f {
  let largest = max(a.x, b.x);
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
