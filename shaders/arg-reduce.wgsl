// Finds where the largest (or smallest) element lies along one dimension, or along parts of it. An invocation follows
// four consecutive outputs, one a lane.
//
// input: the tensor as [outer, length, inner]; `word` is an element's word, or a quad where the lanes lie side by side
// Stored: in quads, for each part and [outer, inner], what was found; lanes past the last output are garbage
// A workgroup of columns × rows invocations owns `columns` quads. Its rows take the positions in turn; the first row
// joins their findings from workgroup memory.
// In front: word, order_key, beats(vec4u, vec4u) of such keys, read_lanes, linear_workgroup, and
// store(item, output, key, position), which writes quad `item`.

override columns: u32 = 64;
override rows: u32 = 1;
override slots: u32 = 64; // columns * rows, or 1 where there is one row and nothing to join
override select_last: u32 = 0;

struct Params {
  outputs: u32,
  length: u32,
  inner: u32,
  parts: u32,
  part_length: u32,
}

@group(0) @binding(0) var<storage, read> input: array<word>;
@group(0) @binding(1) var<uniform> params: Params;

var<workgroup> keys: array<vec4u, slots>;
var<workgroup> positions: array<vec4u, slots>;

@compute @workgroup_size(columns, rows)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let quads = (params.outputs + 3u) / 4u;
  let item = linear_workgroup(group, groups) * columns + local.x;
  let output = min(vec4u(item % quads * 4u) + vec4u(0u, 1u, 2u, 3u), vec4u(params.outputs - 1u));
  let inner = vec4u(params.inner);
  let base = output / inner * (params.length * params.inner) + output % inner;
  let begin = item / quads * params.part_length;
  let end = min(begin + params.part_length, params.length);
  // Rows past the end start, and stay, at the last position: a candidate like any other.
  var position = vec4u(min(begin + local.y, end - 1u));
  var value = order_key(read_lanes(base + position * params.inner));
  for (var r = begin + local.y + rows; r < end; r += rows) {
    let next = order_key(read_lanes(base + vec4u(r * params.inner)));
    let better = wins(next, vec4u(r), value, position);
    value = select(value, next, better);
    position = select(position, vec4u(r), better);
  }
  if (rows > 1u) {
    let own = local.y * columns + local.x;
    keys[own] = value;
    positions[own] = position;
    workgroupBarrier();
    if (local.y == 0u) {
      for (var r = 1u; r < rows; r++) {
        let other = r * columns + local.x;
        let better = wins(keys[other], positions[other], value, position);
        value = select(value, keys[other], better);
        position = select(position, positions[other], better);
      }
    }
  }
  if (local.y == 0u && item < quads * params.parts) { store(item, output, value, position); }
}

// Among equals the first position wins, or the last where asked.
fn wins(a: vec4u, at: vec4u, b: vec4u, than: vec4u) -> vec4<bool> {
  let earlier = select((at < than), (at > than), vec4<bool>(select_last != 0u));
  return beats(a, b) | ((a == b) & earlier);
}
