// Finds where the largest (or smallest) element lies along one dimension, or along parts of it, where few outputs have many
// elements each: `lanes` invocations take the elements in turn, four at a time.
//
// input: the tensor as [outer, length, inner]; `word` is an element's word, or a quad where the four lie side by side
// Stored: for each part and [outer, inner], what was found
// A workgroup of lanes × rows invocations owns `rows` of these; lanes join what they found.
// In front: word, order_key, beats(vec4u, vec4u) of such keys, read_lanes, linear_workgroup, store(index, output, key,
// position), and join_lanes(vec2u, local) of such findings (key, position).

override lanes: u32 = 64;
override rows: u32 = 1;
override select_last: u32 = 0;

struct Params {
  outputs: u32,
  length: u32,
  inner: u32,
  parts: u32,
  part_length: u32, // a multiple of 4
}

@group(0) @binding(0) var<storage, read> input: array<word>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(lanes, rows)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let index = linear_workgroup(group, groups) * rows + local.y;
  let output = index % params.outputs;
  let base = output / params.inner * (params.length * params.inner) + output % params.inner;
  let begin = index / params.outputs * params.part_length;
  let end = min(begin + params.part_length, params.length);
  // Lanes past the end start where the first one does: with a candidate like any other.
  var r = select(begin, begin + local.x * 4u, begin + local.x * 4u < end);
  var position = places(r, end);
  var value = order_key(read_lanes(vec4u(base) + position * params.inner));
  for (r += 4u * lanes; r < end; r += 4u * lanes) {
    let at = places(r, end);
    let next = order_key(read_lanes(vec4u(base) + at * params.inner));
    let better = wins(next, at, value, position);
    value = select(value, next, better);
    position = select(position, at, better);
  }
  let near = join_finds(vec2u(value.x, position.x), vec2u(value.y, position.y));
  let far = join_finds(vec2u(value.z, position.z), vec2u(value.w, position.w));
  let found = join_lanes(join_finds(near, far), local);
  if (local.x == 0u && index < params.outputs * params.parts) {
    store(index, output, found.x, found.y);
  }
}

// Four positions from the r-th on; for those past the end the last.
fn places(r: u32, end: u32) -> vec4u { return min(vec4u(r) + vec4u(0u, 1u, 2u, 3u), vec4u(end - 1u)); }

// Among equals the first position wins, or the last where asked.
fn wins(a: vec4u, at: vec4u, b: vec4u, than: vec4u) -> vec4<bool> {
  let earlier = select((at < than), (at > than), vec4<bool>(select_last != 0u));
  return beats(a, b) | ((a == b) & earlier);
}

fn join_finds(a: vec2u, b: vec2u) -> vec2u {
  return select(b, a, wins(a.xxxx, a.yyyy, b.xxxx, b.yyyy).x);
}
