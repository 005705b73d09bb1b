// What the shaders of softmax share. A part of a row is known by its largest element and the sum of exponentials above that;
// the sum is NaN where an element is.
// In front: scale_of(sum) -> f32. Beside it: params with `length` and `inner`.

const lowest = -3.4028234e38f;
// Through a variable, since a constant expression may not be infinite.
var<private> minus_infinity_bits: u32 = 0xff800000u;
fn minus_infinity() -> f32 { return bitcast<f32>(minus_infinity_bits); }
fn nan() -> f32 { return bitcast<f32>(minus_infinity_bits | 1u); }

// WGSL's own functions need not give NaN for NaN, and `max` of floats takes a software adapter long.
fn larger(a: vec4f, b: vec4f) -> vec4f { return select(a, b, b > a); }
fn magnitude(x: vec4f) -> vec4u { return bitcast<vec4u>(x) & vec4u(0x7fffffffu); }
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

// The part of which four lanes each found the largest element, the sum above it, and the greatest magnitude's bits.
fn found_in(largest: vec4f, sum: vec4f, bits: vec4u) -> vec2f {
  let pair = larger(largest, largest.zwxy);
  let top = larger(pair, pair.yxwz).x;
  let total = dot(sum, exp(largest - top));
  return vec2f(top, select(total, nan(), any(bits > vec4u(0x7f800000u))));
}

// The first element of a row: rows run along the middle of [outer, length, inner].
fn base_of(row: u32) -> u32 {
  return row / params.inner * (params.length * params.inner) + row % params.inner;
}

// Of a whole row. Above an infinity, and of nothing but minus infinity, there are no exponentials to share.
fn scale_for(whole: vec2f) -> f32 {
  let strange = is_nan(whole.y) || whole.y == 0.0 || bitcast<u32>(whole.x) == 0x7f800000u;
  return select(scale_of(whole.y), nan(), strange);
}

// Of two parts of a row: the larger maximum, and the sum of exponentials above it.
fn join_sums(a: vec2f, b: vec2f) -> vec2f {
  let largest = select(a.x, b.x, b.x > a.x);
  return vec2f(largest, a.y * exp(a.x - largest) + b.y * exp(b.x - largest));
}
