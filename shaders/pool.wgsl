// Pooling over windows of up to three axes: maximum, average or Lp norm of each channel's window.
//
// source: elem[planes * depth * height * width], one plane an image and channel. result: elem, one for each
// window. One invocation owns one element of the result. In front of this text stand `elem`, the
// functions start() -> f32, accumulate(sum: f32, v: f32) -> f32, finish(sum: f32, count: f32) -> f32, and
// note(index: u32, at: u32), which keeps where a maximum was, or does nothing.

struct Params {
  count: u32,       // elements of the result
  countPad: u32,    // 1: padding counts in the divisor of an average
  columnMajor: u32, // 1: positions of maxima run down columns first
  power: f32,       // of the Lp norm
  size: vec4u,      // of the input: depth, height, width
  outSize: vec4u,
  kernel: vec4u,
  stride: vec4u,
  dilation: vec4u,
  begin: vec4i,     // padding in front
  end: vec4i,       // and behind
}

@group(0) @binding(0) var<storage, read> source: array<elem>;
@group(0) @binding(1) var<storage, read_write> result: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

override workgroupSize: u32 = 64;

// Taps of the window, along one axis, that lie within the input and its padding.
fn covered(first: i32, axis: u32) -> u32 {
  let dilation = i32(params.dilation[axis]);
  let limit = i32(params.size[axis]) + params.end[axis];
  return min(params.kernel[axis], u32(max(0, (limit - first + dilation - 1) / dilation)));
}

@compute @workgroup_size(workgroupSize)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let index = id.y * count.x * workgroupSize + id.x;
  if (index >= params.count) { return; }
  var rest = index;
  let ox = rest % params.outSize.z;
  rest /= params.outSize.z;
  let oy = rest % params.outSize.y;
  rest /= params.outSize.y;
  let oz = rest % params.outSize.x;
  let plane = rest / params.outSize.x;
  let size = params.size;
  let first = vec3i(vec3u(oz, oy, ox) * params.stride.xyz) - params.begin.xyz;
  let base = plane * size.x * size.y * size.z;
  var sum = start();
  var taken = 0u;
  var best = 0u;
  for (var a = 0u; a < params.kernel.x; a++) {
    let z = first.x + i32(a * params.dilation.x);
    if (z < 0 || z >= i32(size.x)) { continue; }
    for (var b = 0u; b < params.kernel.y; b++) {
      let y = first.y + i32(b * params.dilation.y);
      if (y < 0 || y >= i32(size.y)) { continue; }
      let row = base + (u32(z) * size.y + u32(y)) * size.z;
      for (var c = 0u; c < params.kernel.z; c++) {
        let x = first.z + i32(c * params.dilation.z);
        if (x < 0 || x >= i32(size.z)) { continue; }
        let v = f32(source[row + u32(x)]);
        if (taken == 0u || v > sum) {
          let across = (u32(z) * size.y + u32(y)) * size.z + u32(x);
          let down = (u32(x) * size.y + u32(y)) * size.x + u32(z);
          best = base + select(across, down, params.columnMajor == 1u);
        }
        sum = accumulate(sum, v);
        taken += 1u;
      }
    }
  }
  if (params.countPad == 1u) { taken = covered(first.x, 0u) * covered(first.y, 1u) * covered(first.z, 2u); }
  result[index] = elem(finish(sum, f32(taken)));
  note(index, best);
}
