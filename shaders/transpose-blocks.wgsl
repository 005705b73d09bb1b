// A batch of 2-D transpositions in blocks of 4 × 4 that an invocation turns in its registers: four quads in,
// four quads out.
//   source  along axis A neighbours are adjacent, along axis B they lie b_stride elements apart
//   result  dense; along axis B neighbours are adjacent, along axis A they lie a_stride elements apart
// Workgroup (a, b, matrix of the batch) owns 4 · width elements of axis A and 4 · depth of axis B: with four and more of
// each, whole cache lines of 64 bytes both in the source and in the result. A batch of one dimension needs no loop and no division, which
// take a software adapter long.
// In front: elem, source_unit, result_unit (an element, or a quad where quads are whole), load(at, a) -> vec4<elem>,
// store(at, b, vec4<elem>), in terms of elements.

override width: u32 = 4u;
override depth: u32 = 16u;
override batch_rank: u32 = 0u;
override whole_quads: u32 = 0u; // whether four divides the size of axis A

struct Params {
  a_size: u32,
  b_size: u32,
  a_stride: u32,
  b_stride: u32,
  batch_dims: array<vec4u, 2>,
  source_strides: array<vec4u, 2>,
  result_strides: array<vec4u, 2>,
}

@group(0) @binding(0) var<storage, read> source: array<source_unit>;
@group(0) @binding(1) var<storage, read_write> result: array<result_unit>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(width, depth)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let a = (group.x * width + local.x) * 4u;
  let b = (group.y * depth + local.y) * 4u;
  if (a >= params.a_size || b >= params.b_size) { return; }
  var from_base = group.z * params.source_strides[0].x;
  var to_base = group.z * params.result_strides[0].x;
  if (batch_rank > 1u) {
    var rest = group.z;
    from_base = 0u;
    to_base = 0u;
    for (var k = batch_rank; k > 0u; k--) {
      let d = k - 1u;
      let size = params.batch_dims[d >> 2u][d & 3u];
      let at = rest % size;
      rest /= size;
      from_base += at * params.source_strides[d >> 2u][d & 3u];
      to_base += at * params.result_strides[d >> 2u][d & 3u];
    }
  }
  let at = from_base + a;
  // Past the end of axis B the last line stands in; its elements are not stored.
  let last = params.b_size - 1u;
  let x = load(at + b * params.b_stride, a);
  let y = load(at + min(b + 1u, last) * params.b_stride, a);
  let z = load(at + min(b + 2u, last) * params.b_stride, a);
  let w = load(at + min(b + 3u, last) * params.b_stride, a);
  let to = to_base + a * params.a_stride + b;
  store(to, b, vec4<elem>(x.x, y.x, z.x, w.x));
  if (whole_quads != 0u || a + 1u < params.a_size) {
    store(to + params.a_stride, b, vec4<elem>(x.y, y.y, z.y, w.y));
  }
  if (whole_quads != 0u || a + 2u < params.a_size) {
    store(to + 2u * params.a_stride, b, vec4<elem>(x.z, y.z, z.z, w.z));
  }
  if (whole_quads != 0u || a + 3u < params.a_size) {
    store(to + 3u * params.a_stride, b, vec4<elem>(x.w, y.w, z.w, w.w));
  }
}
