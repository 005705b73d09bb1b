// The backward pass of Softmax along rows: y * (g - sum of g * y), of results y and their gradients g.
//
// input (the results of the forward pass), gradient, result: floats, row-major; row r is the `length` elements from
// r * length on. A workgroup of lanes × rows invocations owns `rows` rows. The lanes of one row take its quads (four
// elements) in turn, four quads at a time, and join their sums. A row that fits the registers of its lanes is read once,
// else twice.
// In front: unit, load(base, quad, fill) -> vec4f and load_within(base, quad, end, fill), the same with load_gradient,
// store(base, quad, vec4f), linear_workgroup, join_lanes(f32, local) -> f32.

override lanes: u32 = 64;
override rows: u32 = 1;
override held: u32 = 0; // whether a row has at most 4 * lanes quads

struct Params {
  rows: u32, // in all
  quads: u32, // of a row
  length: u32,
}

@group(0) @binding(0) var<storage, read> input: array<unit>;
@group(0) @binding(1) var<storage, read> gradient: array<unit>;
@group(0) @binding(2) var<storage, read_write> result: array<unit>;
@group(0) @binding(3) var<uniform> params: Params;

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
  var y = mat4x4f();
  var g = mat4x4f();
  var shares = vec4f();
  for (var q = local.x; q < quads; q += 4u * lanes) {
    y = results_some(base, q, quads);
    g = gradients_some(base, q, quads);
    shares += (y[0] * g[0] + y[1] * g[1]) + (y[2] * g[2] + y[3] * g[3]);
  }
  let sum = join_lanes(dot(shares, vec4f(1.0)), local);
  for (var q = local.x; q < quads; q += 4u * lanes) {
    if (held == 0u) {
      y = results_some(base, q, quads);
      g = gradients_some(base, q, quads);
    }
    store_within(base, q, quads, y[0] * (g[0] - sum));
    store_within(base, q + lanes, quads, y[1] * (g[1] - sum));
    store_within(base, q + 2u * lanes, quads, y[2] * (g[2] - sum));
    store_within(base, q + 3u * lanes, quads, y[3] * (g[3] - sum));
  }
}

// Past the end lies 0, which adds nothing.
fn results_some(base: u32, quad: u32, quads: u32) -> mat4x4f {
  return mat4x4f(
    load(base, quad, 0.0),
    load_within(base, quad + lanes, quads, 0.0),
    load_within(base, quad + 2u * lanes, quads, 0.0),
    load_within(base, quad + 3u * lanes, quads, 0.0),
  );
}
fn gradients_some(base: u32, quad: u32, quads: u32) -> mat4x4f {
  return mat4x4f(
    load_gradient(base, quad, 0.0),
    load_gradient_within(base, quad + lanes, quads, 0.0),
    load_gradient_within(base, quad + 2u * lanes, quads, 0.0),
    load_gradient_within(base, quad + 3u * lanes, quads, 0.0),
  );
}
fn store_within(base: u32, quad: u32, quads: u32, value: vec4f) {
  if (quad < quads) { store(base, quad, value); }
}
