// The first of two steps of a softmax whose rows are few and long: what there is in each part of a row. Follows
// softmax-common.wgsl.
//
// input: floats, row-major, seen as [outer, length, inner]; a row runs along the middle
// found: of each row its parts, one after the other
// A workgroup of lanes × rows invocations owns `rows` parts. The lanes of one take its quads (four elements) in turn, four
// quads at a time, and join what they found.
// In front: unit, load(base, quad, fill) -> vec4f, load_within(base, quad, end, fill) -> vec4f, linear_workgroup,
// join_lanes(part, local) -> part.

override lanes: u32 = 64;
override rows: u32 = 1;

struct Params {
  rows: u32, // in all: outer · inner
  quads: u32, // of a row
  length: u32,
  inner: u32,
  parts: u32, // of a row, none of them empty
  part_quads: u32,
}

@group(0) @binding(0) var<storage, read> input: array<unit>;
@group(0) @binding(1) var<storage, read_write> found: array<vec2f>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(lanes, rows)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let index = linear_workgroup(group, groups) * rows + local.y;
  let exists = index < params.rows * params.parts;
  let row = index / params.parts;
  let base = base_of(row);
  let begin = index % params.parts * params.part_quads;
  // What is past the last part has no quads, but meets the barriers.
  let end = select(begin, min(begin + params.part_quads, params.quads), exists);

  var largest = vec4f(lowest);
  var sum = vec4f();
  var bits = vec4u();
  for (var q = begin + local.x; q < end; q += 4u * lanes) {
    let x0 = load(base, q, minus_infinity());
    let x1 = load_within(base, q + lanes, end, minus_infinity());
    let x2 = load_within(base, q + 2u * lanes, end, minus_infinity());
    let x3 = load_within(base, q + 3u * lanes, end, minus_infinity());
    let next = larger(largest, larger(larger(x0, x1), larger(x2, x3)));
    sum = sum * exp(largest - next) + ((exp(x0 - next) + exp(x1 - next)) + (exp(x2 - next) + exp(x3 - next)));
    largest = next;
    bits = max(bits, max(max(magnitude(x0), magnitude(x1)), max(magnitude(x2), magnitude(x3))));
  }
  let whole = join_lanes(found_in(largest, sum, bits), local);
  if (local.x == 0u && exists) { found[index] = whole; }
}
