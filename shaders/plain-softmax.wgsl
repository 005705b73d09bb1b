// Softmax of the rows of a tensor, one invocation a row: quick to compile, for few and
// short rows. Special values come out as in softmax.wgsl.
//
// input, result: floats, row-major
// In front: elem, base_of(row) -> u32, scale_of(sum) -> f32, finish(shifted, scale) -> vec4f.

struct Params {
  rows: u32,
  length: u32,
  inner: u32, // elements between neighbours of a row
}

@group(0) @binding(0) var<storage, read> input: array<elem>;
@group(0) @binding(1) var<storage, read_write> result: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
const lowest = -3.4028234e38f;
// Not a constant, since a constant expression may not be infinite.
var<private> infinity: u32 = 0x7f800000u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = id.x * WORKGROUP + local;
  if (row >= params.rows) { return; }
  let base = base_of(row);
  let end = base + params.length * params.inner;
  var largest = lowest;
  var bits = 0u;
  for (var i = base; i < end; i += params.inner) {
    let value = f32(input[i]);
    largest = select(largest, value, value > largest);
    bits = max(bits, bitcast<u32>(value) & 0x7fffffffu);
  }
  var sum = 0.0;
  for (var i = base; i < end; i += params.inner) { sum += exp(f32(input[i]) - largest); }
  // WGSL's own functions need not give NaN for NaN; above an infinity there are no exponentials to share.
  let strange = bits > 0x7f800000u || sum == 0.0 || bitcast<u32>(largest) == 0x7f800000u;
  let scale = select(scale_of(sum), bitcast<f32>(infinity | 1u), strange);
  for (var i = base; i < end; i += params.inner) {
    result[i] = elem(finish(vec4f(f32(input[i]) - largest), scale).x);
  }
}
