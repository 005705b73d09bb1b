// Fills a buffer with random numbers, uniform in [0, 1) or, where `normal` is set, of mean 0 and variance 1.
//   state   two words: the seed, and how many runs there were before
//   result  floats in quads
// An invocation owns one quad, whose numbers are a hash (pcg4d) of the state and the quad's own number.

override workgroup_size: u32 = 64u;
override normal: bool = false;

struct Params { quads: u32 }

@group(0) @binding(0) var<storage, read> state: array<u32>;
@group(0) @binding(1) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * workgroup_size + id.x;
  if (quad >= params.quads) { return; }
  // 24 bits, as many as a float tells apart below 1.
  let words = hash(vec4u(quad, state[1], state[0], 0x9e3779b9u)) >> vec4u(8u);
  let uniforms = vec4f(words) * 0x1p-24f;
  if (normal) {
    // Box and Muller: two numbers give two. The logarithm's is above 0.
    let radius = sqrt(-2.0 * log(uniforms.xy + vec2f(0x1p-25f)));
    let angle = 6.2831855 * uniforms.zw;
    result[quad] = vec4f(radius * cos(angle), radius * sin(angle));
  } else {
    result[quad] = uniforms;
  }
}

// https://jcgt.org/published/0009/03/02/
fn hash(key: vec4u) -> vec4u {
  var v = key * 1664525u + 1013904223u;
  for (var round = 0; round < 2; round++) {
    v.x += v.y * v.w;
    v.y += v.z * v.x;
    v.z += v.x * v.y;
    v.w += v.y * v.z;
    v ^= v >> vec4u(16u);
  }
  return v;
}
