// Normalises the rows of a tensor: (x - mean) / sqrt(variance + epsilon) * scale + bias. Without centring
// the mean counts as 0, so that the variance is the mean square.
//
// input, result: floats, row-major; row r is the `length` elements from r * length on
// A workgroup of lanes × rows invocations owns `rows` rows. The lanes of one row take its quads (four elements)
// in turn, four quads at a time, and join their sums: for the mean, the variance, the result. A row
// that fits the registers of its lanes is read once, else three times.
// In front: unit, load(base, quad, fill) -> vec4f, load_within(base, quad, end, fill) -> vec4f,
// inside(quad) -> vec4<bool>, store(base, quad, vec4f), affine(base, quad, x) -> vec4f,
// store_statistics(row, mean, inverse), linear_workgroup, join_lanes(sum, local) -> sum.

override lanes: u32 = 64;
override rows: u32 = 1;
override centred: u32 = 1;
override held: u32 = 0; // whether a row has at most 4 * lanes quads

struct Params {
  rows: u32, // in all
  quads: u32, // of a row
  length: u32,
  inner: u32, // neighbouring elements that share a scale
  channels: u32, // different scales
  epsilon: f32,
}

@group(0) @binding(0) var<storage, read> input: array<unit>;
@group(0) @binding(1) var<storage, read_write> result: array<unit>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(lanes, rows)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = linear_workgroup(group, groups) * rows + local.y;
  let base = row * params.length;
  // Rows past the end have no quads, but meet the barriers.
  let quads = select(0u, params.quads, row < params.rows);
  var x = mat4x4f();
  if (held != 0u && local.x < quads) { x = load_some(base, local.x, quads, 0.0); }

  var mean = 0f;
  if (centred != 0u) {
    var sum = vec4f();
    for (var q = local.x; q < quads; q += 4u * lanes) {
      if (held == 0u) { x = load_some(base, q, quads, 0.0); }
      sum += (x[0] + x[1]) + (x[2] + x[3]);
    }
    mean = join_lanes(dot(sum, vec4f(1.0)), local) / f32(params.length);
  }
  // Past the end lies the mean, which does not deviate.
  var squares = vec4f();
  for (var q = local.x; q < quads; q += 4u * lanes) {
    if (held == 0u) {
      x = load_some(base, q, quads, mean);
    } else if (centred != 0u) {
      x = refill(x, q, quads, mean);
    }
    let d = mat4x4f(x[0] - mean, x[1] - mean, x[2] - mean, x[3] - mean);
    squares += (d[0] * d[0] + d[1] * d[1]) + (d[2] * d[2] + d[3] * d[3]);
  }
  let variance = join_lanes(dot(squares, vec4f(1.0)), local) / f32(params.length);
  let inverse = inverseSqrt(variance + params.epsilon);

  for (var q = local.x; q < quads; q += 4u * lanes) {
    if (held == 0u) { x = load_some(base, q, quads, 0.0); }
    store_within(base, q, quads, (x[0] - mean) * inverse);
    store_within(base, q + lanes, quads, (x[1] - mean) * inverse);
    store_within(base, q + 2u * lanes, quads, (x[2] - mean) * inverse);
    store_within(base, q + 3u * lanes, quads, (x[3] - mean) * inverse);
  }
  if (local.x == 0u && row < params.rows) { store_statistics(row, mean, inverse); }
}

fn load_some(base: u32, quad: u32, quads: u32, fill: f32) -> mat4x4f {
  return mat4x4f(
    load(base, quad, fill),
    load_within(base, quad + lanes, quads, fill),
    load_within(base, quad + 2u * lanes, quads, fill),
    load_within(base, quad + 3u * lanes, quads, fill),
  );
}
// The same quads with something else past the end.
fn refill(x: mat4x4f, quad: u32, quads: u32, fill: f32) -> mat4x4f {
  return mat4x4f(
    select(vec4f(fill), x[0], inside(quad)),
    select(vec4f(fill), x[1], inside(quad + lanes) & vec4<bool>(quad + lanes < quads)),
    select(vec4f(fill), x[2], inside(quad + 2u * lanes) & vec4<bool>(quad + 2u * lanes < quads)),
    select(vec4f(fill), x[3], inside(quad + 3u * lanes) & vec4<bool>(quad + 3u * lanes < quads)),
  );
}
fn store_within(base: u32, quad: u32, quads: u32, value: vec4f) {
  if (quad < quads) { store(base, quad, affine(base, quad, value)); }
}
