// Reduces a tensor over some of its dimensions where few outputs have many elements each: `lanes` invocations
// take the elements behind one output, or of one part of it, in turn: quads of four, `chunk` quads at a time.
//
// input:  the tensor, row-major; `word` is an element's word, or a quad or a matrix where that many lie side by side
// result: one element for each part and output, outputs innermost
// A workgroup of lanes × rows invocations owns `rows` elements of the result; lanes join what they found.
// In front: word, stored, acc4, identity, prepare, combine, finish, read_lanes, chunk, read_chunk(base, r),
// linear_workgroup, offset_of, join_lanes(acc, local) -> acc.

override lanes: u32 = 64;
override rows: u32 = 1;
// Kept and reduced dimensions, at most 4 each, and whether outputs fall into parts.
override kept_rank: u32 = 4;
override reduced_rank: u32 = 4;
override parted: u32 = 1;

struct Params {
  outputs: u32,
  parts: u32,
  part_length: u32, // elements of a part; a multiple of 4
  length: u32, // elements behind each output
  count: u32, // elements that `finish` divides by
  // Sizes and strides, in elements of the input, of the kept and the reduced dimensions, innermost first.
  kept_sizes: vec4u,
  kept_strides: vec4u,
  reduced_sizes: vec4u,
  reduced_strides: vec4u,
}

@group(0) @binding(0) var<storage, read> input: array<word>;
@group(0) @binding(1) var<storage, read_write> result: array<stored>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(lanes, rows)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let index = linear_workgroup(group, groups) * rows + local.y;
  let exists = index < params.outputs * params.parts;
  var output = index;
  var begin = 0u;
  if (parted != 0u) {
    output = index % params.outputs;
    begin = index / params.outputs * params.part_length;
  }
  let base = offset_of(output, kept_rank, params.kept_sizes, params.kept_strides);
  // What is past the last output has no elements, but meets the barriers.
  let end = select(begin, min(begin + params.part_length, params.length), exists);
  var value = identity();
  var r = begin + local.x * 4u;
  for (; r + (chunk - 1u) * 4u * lanes + 3u < end; r += chunk * 4u * lanes) {
    value = combine(value, read_chunk(base, r));
  }
  for (; r < end; r += 4u * lanes) { value = combine(value, last_quad(base, r, end)); }
  let pair = combine(value, value.yxwz);
  let total = acc4(join_lanes(combine(pair, pair.zwxy).x, local));
  if (local.x == 0u && exists) {
    result[index] = stored(finish(total, params.count).x);
  }
}

// Four elements from the r-th on.
fn quad(base: u32, r: u32) -> acc4 { return elements_at(base, places(r)); }
// What is past the end counts as none.
fn last_quad(base: u32, r: u32, end: u32) -> acc4 {
  return select(identity(), elements_at(base, min(places(r), vec4u(end - 1u))), places(r) < vec4u(end));
}
fn places(r: u32) -> vec4u { return vec4u(r) + vec4u(0u, 1u, 2u, 3u); }
fn elements_at(base: u32, r: vec4u) -> acc4 {
  if (reduced_rank == 1u) { return prepare(read_lanes(vec4u(base) + r * params.reduced_strides.x)); }
  let offsets = vec4u(reduced_offset(r.x), reduced_offset(r.y), reduced_offset(r.z), reduced_offset(r.w));
  return prepare(read_lanes(vec4u(base) + offsets));
}

fn reduced_offset(index: u32) -> u32 {
  return offset_of(index, reduced_rank, params.reduced_sizes, params.reduced_strides);
}
