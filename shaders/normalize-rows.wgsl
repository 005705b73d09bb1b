// Normalises the rows of a tensor: (x - mean) / sqrt(variance + epsilon) * scale + bias. Without centring
// the mean counts as 0, so that the variance is the mean square.
//
// input, result: floats, row-major; row r is the `length` elements from r * length on
// A workgroup of lanes × rows invocations owns `rows` rows; the lanes of one row take its elements in turn
// and join in workgroup memory. Mean, then variance, then result: each reads the row once.
// In front: elem, scale_of(k), bias_of(k) -> f32, store_statistics(row, mean, inverse), linear_workgroup.

override lanes: u32 = 64;
override rows: u32 = 1;
override radix: u32 = 8; // divides lanes; best its square root
// Workgroup memory: lanes * rows, and that over radix; 1 where a row has one lane and nothing to join.
override slots: u32 = 64;
override joined_slots: u32 = 8;
override centred: u32 = 1;

struct Params {
  rows: u32, // in all
  length: u32,
  inner: u32, // neighbouring elements that share a scale
  channels: u32, // different scales
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> input: array<elem>;
@group(0) @binding(1) var<storage, read_write> result: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partials: array<f32, slots>;
var<workgroup> joined: array<f32, joined_slots>;

@compute @workgroup_size(lanes, rows)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let own_row = linear_workgroup(group, groups) * rows + local.y;
  // Rows past the end do the last row's work again, up to the barriers, and store nothing.
  let row = min(own_row, params.rows - 1u);
  let base = row * params.length;

  var mean = 0f;
  if (centred != 0u) {
    for (var i = local.x; i < params.length; i += lanes) { mean += f32(input[base + i]); }
    mean = sum_over_lanes(mean, local) / f32(params.length);
  }
  var squares = 0f;
  for (var i = local.x; i < params.length; i += lanes) {
    let d = f32(input[base + i]) - mean;
    squares += d * d;
  }
  let inverse = inverseSqrt(sum_over_lanes(squares, local) / f32(params.length) + params.epsilon);

  if (own_row < params.rows) {
    for (var i = local.x; i < params.length; i += lanes) {
      let at = base + i;
      let channel = (at / params.inner) % params.channels;
      result[at] = elem((f32(input[at]) - mean) * inverse * scale_of(channel) + bias_of(channel));
    }
    if (local.x == 0u) { store_statistics(row, mean, inverse); }
  }
}

// In two steps: `radix` neighbours at a time, then what they gave. Few barriers matter more than few steps.
fn sum_over_lanes(value: f32, local: vec3u) -> f32 {
  if (lanes == 1u) { return value; }
  let first = local.y * lanes;
  partials[first + local.x] = value;
  workgroupBarrier();
  if (local.x < lanes / radix) {
    var some = 0f;
    for (var k = 0u; k < radix; k++) { some += partials[first + local.x * radix + k]; }
    joined[local.y * (lanes / radix) + local.x] = some;
  }
  workgroupBarrier();
  var total = 0f;
  for (var k = 0u; k < lanes / radix; k++) { total += joined[local.y * (lanes / radix) + k]; }
  return total;
}
