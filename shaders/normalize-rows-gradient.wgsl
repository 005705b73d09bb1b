// The backward pass of normalised rows: with s the gradient times the scale and y = (x - mean) * inverse what the rows
// were before scale and bias, inverse * (s - mean of s - y * mean of s y). Without centring the mean counts as 0 and that
// of s is left out. Second result, where wanted: gradient * y, whose sum is the gradient of the scale.
//
// input, gradient, result, shares: floats, row-major; row r is the `length` elements from r * length on
// A workgroup of lanes × rows invocations owns `rows` rows. The lanes of one row take its quads (four elements) in turn,
// four quads at a time, and join their sums: of x and s, then of squares and products. A row that fits the registers of
// its lanes is read once, else three times.
// In front: unit, load(base, quad, fill) -> vec4f and load_within(base, quad, end, fill), the same with load_gradient,
// inside(quad) -> vec4<bool>, store(base, quad, vec4f), store_share(base, quad, vec4f) of the second result,
// affine(base, quad, x) -> vec4f that scales, linear_workgroup, join_lanes(vec2f, local) -> vec2f.

override lanes: u32 = 64;
override rows: u32 = 1;
override centred: u32 = 1;
override shared_out: u32 = 0; // whether the second result is wanted
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
  let count = f32(params.length);
  var x = mat4x4f();
  var s = mat4x4f();
  if (held != 0u && local.x < quads) {
    x = load_some(base, local.x, quads, 0.0);
    s = scaled_some(base, local.x, quads);
  }

  var means = vec2f();
  if (centred != 0u) {
    var sums = mat2x4f();
    for (var q = local.x; q < quads; q += 4u * lanes) {
      if (held == 0u) {
        x = load_some(base, q, quads, 0.0);
        s = scaled_some(base, q, quads);
      }
      sums += mat2x4f((x[0] + x[1]) + (x[2] + x[3]), (s[0] + s[1]) + (s[2] + s[3]));
    }
    means = join_lanes(vec4f(1.0) * sums, local) / count;
  }
  // Past the end lies the mean, which does not deviate, and s is 0.
  var sums = mat2x4f();
  for (var q = local.x; q < quads; q += 4u * lanes) {
    if (held == 0u) {
      x = load_some(base, q, quads, means.x);
      s = scaled_some(base, q, quads);
    } else if (centred != 0u) {
      x = refill(x, q, quads, means.x);
    }
    let d = mat4x4f(x[0] - means.x, x[1] - means.x, x[2] - means.x, x[3] - means.x);
    sums += mat2x4f(
      (d[0] * d[0] + d[1] * d[1]) + (d[2] * d[2] + d[3] * d[3]),
      (s[0] * d[0] + s[1] * d[1]) + (s[2] * d[2] + s[3] * d[3]),
    );
  }
  let moments = join_lanes(vec4f(1.0) * sums, local) / count;
  let inverse = inverseSqrt(moments.x + params.epsilon);
  // Of a deviation d: y is inverse * d, and y times the mean of s y is slope * d.
  let slope = moments.y * inverse * inverse;

  for (var q = local.x; q < quads; q += 4u * lanes) {
    if (held == 0u) {
      x = load_some(base, q, quads, 0.0);
      s = scaled_some(base, q, quads);
    }
    let d = mat4x4f(x[0] - means.x, x[1] - means.x, x[2] - means.x, x[3] - means.x);
    let r = (s - mat4x4f(d[0] * slope + means.y, d[1] * slope + means.y, d[2] * slope + means.y, d[3] * slope + means.y)) * inverse;
    store_within(base, q, quads, r[0], d[0] * inverse);
    store_within(base, q + lanes, quads, r[1], d[1] * inverse);
    store_within(base, q + 2u * lanes, quads, r[2], d[2] * inverse);
    store_within(base, q + 3u * lanes, quads, r[3], d[3] * inverse);
  }
}

fn store_within(base: u32, quad: u32, quads: u32, value: vec4f, y: vec4f) {
  if (quad >= quads) { return; }
  store(base, quad, value);
  if (shared_out != 0u) { store_share(base, quad, load_gradient(base, quad, 0.0) * y); }
}

fn load_some(base: u32, quad: u32, quads: u32, fill: f32) -> mat4x4f {
  return mat4x4f(
    load(base, quad, fill),
    load_within(base, quad + lanes, quads, fill),
    load_within(base, quad + 2u * lanes, quads, fill),
    load_within(base, quad + 3u * lanes, quads, fill),
  );
}
fn scaled_some(base: u32, quad: u32, quads: u32) -> mat4x4f {
  return mat4x4f(
    scaled(base, quad, quads),
    scaled(base, quad + lanes, quads),
    scaled(base, quad + 2u * lanes, quads),
    scaled(base, quad + 3u * lanes, quads),
  );
}
fn scaled(base: u32, quad: u32, quads: u32) -> vec4f {
  let at = min(quad, quads - 1u);
  let value = affine(base, at, load_gradient(base, at, 0.0));
  return select(vec4f(), value, inside(at) & vec4<bool>(quad < quads));
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
