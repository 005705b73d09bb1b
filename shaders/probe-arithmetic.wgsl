// Arithmetic alone, to count what an adapter can do: every invocation carries four vectors, which do not wait for
// each other, through `rounds` × 16 multiply-adds of four lanes each, 128 operations a round, and stores their sum.
// `factor` and `summand` come from outside, so that no compiler knows where this converges.

struct Params {
  rounds: u32,
  factor: f32,
  summand: f32,
}

@group(0) @binding(0) var<storage, read_write> result: array<vec4f>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = vec4f(params.factor);
  let s = vec4f(params.summand);
  var a = vec4f(f32(id.x));
  var b = a + 1.0;
  var c = a + 2.0;
  var d = a + 3.0;
  for (var i = 0u; i < params.rounds; i++) {
    a = a * m + s;
    b = b * m + s;
    c = c * m + s;
    d = d * m + s;
    a = a * m + s;
    b = b * m + s;
    c = c * m + s;
    d = d * m + s;
    a = a * m + s;
    b = b * m + s;
    c = c * m + s;
    d = d * m + s;
    a = a * m + s;
    b = b * m + s;
    c = c * m + s;
    d = d * m + s;
  }
  result[id.x] = a + b + c + d;
}
