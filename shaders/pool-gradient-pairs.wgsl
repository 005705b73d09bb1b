// The gradient of the largest of windows of 2×2 with stride 2, all of them within the input.
//
// x   [planes, inHeight, inWidth]
// dy  [planes, outHeight, outWidth], planes being [batch, channels]
// dx  as x, written by `store` (in front of this text)
// Every invocation owns four columns of two input rows.

struct Params {
  inWidth: u32, inHeight: u32, outWidth: u32, outHeight: u32,
  rowQuads: u32, rowPairs: u32, channels: u32, invocations: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<elem>;
@group(0) @binding(1) var<storage, read> x: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

// Each gradient where the first of four elements is that are as large as the largest: a and b above, c and d below.
fn toFirst(dy: vec2f, a: vec2f, b: vec2f, c: vec2f, d: vec2f) -> array<vec2f, 4> {
  let second = b > a;
  let upper = select(a, b, second);
  let fourth = d > c;
  let below = select(c, d, fourth) > upper;
  let zero = vec2f();
  return array<vec2f, 4>(
    select(dy, zero, below | second), select(zero, dy, second & !below),
    select(zero, dy, below & !fourth), select(zero, dy, below & fourth));
}

fn load(at: vec4u) -> vec4f { return vec4f(vec4<elem>(x[at.x], x[at.y], x[at.z], x[at.w])); }

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let pair = id / params.rowQuads; // [plane][rowPairs]
  let plane = pair / params.rowPairs;
  let oy = pair - plane * params.rowPairs;
  let ix = 4u * (id - pair * params.rowQuads);
  let first = (plane * params.inHeight + 2u * oy) * params.inWidth + ix;
  let left = params.inWidth - ix;
  let at = first + min(vec4u(0u, 1u, 2u, 3u), vec4u(left - 1u));
  let upper = load(at);
  let lower = load(at + params.inWidth);
  let ox = ix / 2u + vec2u(0u, 1u);
  let given = (plane * params.outHeight + oy) * params.outWidth + ox;
  let exists = (ox < vec2u(params.outWidth)) & vec2<bool>(oy < params.outHeight);
  let gradient = select(vec2f(), vec2f(vec2<elem>(dy[given.x], dy[given.y])), exists);
  let four = toFirst(gradient, upper.xz, upper.yw, lower.xz, lower.yw);
  let channel = plane % params.channels;
  store(first, left, channel, vec4f(four[0].x, four[1].x, four[0].y, four[1].y));
  if (2u * oy + 1u < params.inHeight) {
    store(first + params.inWidth, left, channel, vec4f(four[2].x, four[3].x, four[2].y, four[3].y));
  }
}
