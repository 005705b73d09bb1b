// Rows of sparse entries times a vector where a few rows may have most of the entries: every invocation does the same work,
// wherever rows end (merge path: https://doi.org/10.1109/SC.2016.57). spmv-join.wgsl adds up what this leaves.
//
// dense    [length]
// sums     [rows], by position: of a row its last part, from where the invocation began that came to its end
// carries  [invocations]: the position of the row in which an invocation stopped, and the bits of its sum so far
// In front: `valueAt(i)` and `columnAt(i)` of entry i, `rowStart(position)` where the entries of the row at a position begin.
// The path has a step for every entry and one for the end of every row; an invocation takes ITEMS of them.

struct Params { rows: u32, alpha: f32, invocations: u32 }

@group(0) @binding(3) var<storage, read> dense: array<elem>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read_write> carries: array<vec2u>;

override LANES: u32 = 64u;
override ITEMS: u32 = 16u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = linear_workgroup(group, count) * LANES + local;
  if (number >= params.invocations) { return; }
  let entries = rowStart(params.rows);
  let first = min(number * ITEMS, params.rows + entries);
  // The rows that end within the first steps: the most rows for which as many steps suffice.
  var position = first - min(first, entries);
  var most = min(first, params.rows);
  while (position < most) {
    let middle = (position + most) / 2u;
    if (rowStart(middle + 1u) + middle < first) { position = middle + 1u; } else { most = middle; }
  }
  var i = first - position;
  var end = rowStart(min(position + 1u, params.rows));
  let steps = min(ITEMS, params.rows + entries - first);
  var sum = 0f;
  for (var step = 0u; step < steps; step++) {
    if (i < end) {
      sum += valueAt(i) * f32(dense[columnAt(i)]);
      i++;
    } else {
      sums[position] = sum;
      sum = 0f;
      position++;
      end = rowStart(min(position + 1u, params.rows));
    }
  }
  carries[number] = vec2u(position, bitcast<u32>(sum));
}
