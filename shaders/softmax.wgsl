// Softmax of the rows of a tensor seen as [outer, length, inner]; a row runs along the middle.
//
// input, result: floats, row-major
// A workgroup of lanes × rows invocations owns `rows` rows; the lanes of one row take its elements in turn
// and join by a tree in workgroup memory. Each element is read three times: for the largest, for the sum
// of exponentials, and for the result.
// In front: elem, finish(shifted, sum) -> f32, linear_workgroup.

override lanes: u32 = 64;
override rows: u32 = 1;
override invocations: u32 = 64; // lanes * rows

struct Params {
  rows: u32, // in all: outer · inner
  length: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> input: array<elem>;
@group(0) @binding(1) var<storage, read_write> result: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partials: array<f32, invocations>;

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
  let own = local.y * lanes + local.x;

  var largest = -3.4028234e38f;
  for (var i = local.x; i < params.length; i += lanes) {
    largest = max(largest, f32(input[base + i * params.inner]));
  }
  if (lanes > 1u) {
    partials[own] = largest;
    for (var half = lanes / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (local.x < half) { partials[own] = max(partials[own], partials[own + half]); }
    }
    workgroupBarrier();
    largest = partials[local.y * lanes];
    workgroupBarrier();
  }

  var sum = 0f;
  for (var i = local.x; i < params.length; i += lanes) {
    sum += exp(f32(input[base + i * params.inner]) - largest);
  }
  if (lanes > 1u) {
    partials[own] = sum;
    for (var half = lanes / 2u; half > 0u; half /= 2u) {
      workgroupBarrier();
      if (local.x < half) { partials[own] += partials[own + half]; }
    }
    workgroupBarrier();
    sum = partials[local.y * lanes];
  }

  if (own_row < params.rows) {
    for (var i = local.x; i < params.length; i += lanes) {
      let at = base + i * params.inner;
      result[at] = elem(finish(f32(input[at]) - largest, sum));
    }
  }
}
