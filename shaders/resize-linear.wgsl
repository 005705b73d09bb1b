// Linear interpolation over the last two axes.
//   source  planes of in_height × in_width elements
//   result  planes of out_height × out_width elements, in quads
// In front of this text stand `alias elem`, `alias elem4` and `epilogue`. Every invocation owns one quad.
// Output row y lies at row y × scale_y + shift_y of the input, in elements, and columns likewise; what lies
// outside is the edge.

override workgroup_size: u32 = 64u;

struct Params {
  quads: u32,
  in_height: u32,
  in_width: u32,
  out_height: u32,
  out_width: u32,
  scale_y: f32,
  shift_y: f32,
  scale_x: f32,
  shift_x: f32,
}

@group(0) @binding(0) var<storage, read> source: array<elem>;
@group(0) @binding(1) var<storage, read_write> result: array<elem4>;
@group(0) @binding(2) var<uniform> params: Params;

fn at(index: u32) -> f32 {
  let row = index / params.out_width;
  let y = f32(row % params.out_height) * params.scale_y + params.shift_y;
  let x = f32(index % params.out_width) * params.scale_x + params.shift_x;
  let in_y = clamp(y, 0.0, f32(params.in_height - 1u));
  let in_x = clamp(x, 0.0, f32(params.in_width - 1u));
  let y0 = u32(in_y);
  let x0 = u32(in_x);
  let x1 = min(x0 + 1u, params.in_width - 1u);
  let plane = (row / params.out_height) * params.in_height;
  let top = (plane + y0) * params.in_width;
  let bottom = (plane + min(y0 + 1u, params.in_height - 1u)) * params.in_width;
  let right = in_x - f32(x0);
  let upper = mix(f32(source[top + x0]), f32(source[top + x1]), right);
  let lower = mix(f32(source[bottom + x0]), f32(source[bottom + x1]), right);
  return mix(upper, lower, in_y - f32(y0));
}

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * workgroup_size + id.x;
  if (quad >= params.quads) { return; }
  var value: vec4f;
  for (var k = 0u; k < 4u; k++) { value[k] = at(quad * 4u + k); }
  result[quad] = elem4(epilogue(value, quad * 4u, 0u));
}
