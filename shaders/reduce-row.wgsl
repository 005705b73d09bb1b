// Reduces a tensor over some of its dimensions where few outputs have many elements each: a workgroup
// reduces one part of one output's elements, four side by side in the lanes of an invocation.
//
// input:  the tensor, row-major; `word` is an element's word, or a quad where four elements lie side by side
// result: one element for each output and part, parts innermost
// A workgroup owns one element of the result; its invocations join in workgroup memory.
// In front: word, stored, acc4, identity, prepare, combine, finish, read_lanes, linear_workgroup.

override invocations: u32 = 64;
override radix: u32 = 8; // divides invocations; best its square root
override joined_slots: u32 = 8; // invocations / radix

struct Params {
  outputs: u32,
  parts: u32,
  part_length: u32, // elements of a part; a multiple of 4
  length: u32, // elements behind each output
  count: u32, // elements that `finish` divides by
  kept_rank: u32,
  reduced_rank: u32,
  // Sizes and strides, in elements of the input, of the kept and the reduced dimensions, innermost first.
  kept_sizes: vec4u,
  kept_strides: vec4u,
  reduced_sizes: vec4u,
  reduced_strides: vec4u,
}

@group(0) @binding(0) var<storage, read> input: array<word>;
@group(0) @binding(1) var<storage, read_write> result: array<stored>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partials: array<acc, invocations>;
var<workgroup> joined: array<acc, joined_slots>;

@compute @workgroup_size(invocations)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_workgroup(group, groups);
  if (index >= params.outputs * params.parts) { return; }
  let base = offset_of(index / params.parts, params.kept_rank, params.kept_sizes, params.kept_strides);
  let begin = (index % params.parts) * params.part_length;
  let end = min(begin + params.part_length, params.length);
  var value = identity();
  for (var r = begin + local * 4u; r < end; r += invocations * 4u) {
    let lanes = vec4u(r) + vec4u(0u, 1u, 2u, 3u);
    let inside = min(lanes, vec4u(end - 1u));
    let at = vec4u(base) + vec4u(reduced_offset(inside.x), reduced_offset(inside.y), reduced_offset(inside.z), reduced_offset(inside.w));
    value = combine(value, select(identity(), prepare(read_lanes(at)), lanes < vec4u(end)));
  }
  let pair = combine(value, value.zwxy);
  let total = join(combine(pair, pair.yxwz).x, local);
  if (local == 0u) {
    result[index] = stored(finish(total, params.count).x);
  }
}

// In two steps: `radix` neighbours at a time, then what they gave. Few barriers matter more than few steps.
fn join(value: acc, local: u32) -> acc4 {
  partials[local] = value;
  workgroupBarrier();
  if (local < joined_slots) {
    var some = identity();
    for (var k = 0u; k < radix; k++) { some = combine(some, acc4(partials[local * radix + k])); }
    joined[local] = some.x;
  }
  workgroupBarrier();
  var total = identity();
  for (var k = 0u; k < joined_slots; k++) { total = combine(total, acc4(joined[k])); }
  return total;
}

fn reduced_offset(index: u32) -> u32 {
  return offset_of(index, params.reduced_rank, params.reduced_sizes, params.reduced_strides);
}
