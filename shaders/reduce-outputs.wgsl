// Reduces a tensor over some of its dimensions where there are many outputs: an invocation computes four
// consecutive ones, one a lane, from all elements behind them or from one part of these.
//
// input:  the tensor, row-major; `word` is an element's word, or a quad where the lanes lie side by side
// result: the outputs in quads, once for each part; lanes past the last output hold garbage
// A workgroup of columns × rows invocations owns `columns` quads. Its rows take the elements of the
// reduction in turn, four at a time; the first row joins their results from workgroup memory.
// In front: word, quad, acc4, identity, prepare, combine, finish, read_lanes, pack_lanes, linear_workgroup, offset_of.

override columns: u32 = 64;
override rows: u32 = 1;
override slots: u32 = 64; // columns * rows, or 1 where there is one row and nothing to join
// Kept and reduced dimensions, at most 4 each, and whether outputs fall into parts.
override kept_rank: u32 = 4;
override reduced_rank: u32 = 4;
override parted: u32 = 1;

struct Params {
  outputs: u32,
  parts: u32,
  part_length: u32, // elements of a part
  length: u32, // elements behind each output
  count: u32, // elements that `finish` divides by
  // Sizes and strides, in elements of the input, of the kept and the reduced dimensions, innermost first.
  kept_sizes: vec4u,
  kept_strides: vec4u,
  reduced_sizes: vec4u,
  reduced_strides: vec4u,
}

@group(0) @binding(0) var<storage, read> input: array<word>;
@group(0) @binding(1) var<storage, read_write> result: array<quad>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partials: array<acc4, slots>;

@compute @workgroup_size(columns, rows)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let quads = (params.outputs + 3u) / 4u;
  let item = linear_workgroup(group, groups) * columns + local.x;
  var own = item;
  var begin = 0u;
  if (parted != 0u) {
    own = item % quads;
    begin = item / quads * params.part_length;
  }
  let output = min(vec4u(own * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(params.outputs - 1u));
  let base = vec4u(kept_offset(output.x), kept_offset(output.y), kept_offset(output.z), kept_offset(output.w));
  // What is past the last part has no elements, but meets the barriers.
  let end = min(begin + params.part_length, params.length);
  var value = identity();
  var r = begin + local.y;
  for (; r + 3u * rows < end; r += 4u * rows) {
    let near = combine(element(base, r), element(base, r + rows));
    let far = combine(element(base, r + 2u * rows), element(base, r + 3u * rows));
    value = combine(value, combine(near, far));
  }
  for (; r < end; r += rows) { value = combine(value, element(base, r)); }
  if (rows > 1u) {
    partials[local.y * columns + local.x] = value;
    workgroupBarrier();
    if (local.y == 0u) {
      for (var r = 1u; r < rows; r++) { value = combine(value, partials[r * columns + local.x]); }
    }
  }
  if (local.y == 0u && item < quads * params.parts) {
    result[item] = pack_lanes(finish(value, params.count));
  }
}

fn element(base: vec4u, r: u32) -> acc4 {
  if (reduced_rank == 1u) { return prepare(read_lanes(base + vec4u(r * params.reduced_strides.x))); }
  let offset = offset_of(r, reduced_rank, params.reduced_sizes, params.reduced_strides);
  return prepare(read_lanes(base + vec4u(offset)));
}

fn kept_offset(index: u32) -> u32 {
  return offset_of(index, kept_rank, params.kept_sizes, params.kept_strides);
}
