// Reduces a tensor of float32 over one dimension with at least 16 outputs side by side: an invocation computes sixteen, which
// it loads as a matrix. Software adapters take less time for that than for its four columns one by one.
//
// input:  the tensor, row-major
// result: the outputs
// In front: acc4, identity, prepare, combine, finish, linear_workgroup, offset_of.

override columns: u32 = 64;
override kept_rank: u32 = 4; // kept dimensions, at most 4

struct Params {
  blocks: u32, // outputs by sixteen
  length: u32, // elements behind each output
  distance: u32, // between them, by sixteen
  // Sizes and strides, in elements of the input, of the kept dimensions, innermost first.
  kept_sizes: vec4u,
  kept_strides: vec4u,
}

@group(0) @binding(0) var<storage, read> input: array<mat4x4f>;
@group(0) @binding(1) var<storage, read_write> result: array<mat4x4f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(columns)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let block = linear_workgroup(group, groups) * columns + lane;
  if (block >= params.blocks) { return; }
  var at = offset_of(block * 16u, kept_rank, params.kept_sizes, params.kept_strides) / 16u;
  var a = identity();
  var b = identity();
  var c = identity();
  var d = identity();
  var r = 0u;
  for (; r + 1u < params.length; r += 2u) {
    let x = input[at];
    let y = input[at + params.distance];
    a = combine(a, combine(prepare(x[0]), prepare(y[0])));
    b = combine(b, combine(prepare(x[1]), prepare(y[1])));
    c = combine(c, combine(prepare(x[2]), prepare(y[2])));
    d = combine(d, combine(prepare(x[3]), prepare(y[3])));
    at += 2u * params.distance;
  }
  if (r < params.length) {
    let x = input[at];
    a = combine(a, prepare(x[0]));
    b = combine(b, prepare(x[1]));
    c = combine(c, prepare(x[2]));
    d = combine(d, prepare(x[3]));
  }
  let count = params.length;
  result[block] = mat4x4f(finish(a, count), finish(b, count), finish(c, count), finish(d, count));
}
