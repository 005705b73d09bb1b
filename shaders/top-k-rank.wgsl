// The k largest (or smallest) elements of each line, in order: every element counts how many others come
// before it, and so knows its own place. All in parallel, at the price of size² reads a line.
//   source          elements; neighbours on a line lie params.inner apart
//   values, places  k elements a line, likewise params.inner apart; places are positions on the line
// In front of this text stand `alias elem`, `alias compute` and `order_key(compute) -> u32`. An invocation owns one element.

override workgroup_size: u32 = 64u;

struct Params { lines: u32, size: u32, inner: u32, k: u32, largest: u32 }

@group(0) @binding(0) var<storage, read> source: array<elem>;
@group(0) @binding(1) var<storage, read_write> values: array<elem>;
@group(0) @binding(2) var<storage, read_write> places: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let item = id.y * count.x * workgroup_size + id.x;
  if (item >= params.lines * params.size) { return; }
  let outer = item / (params.size * params.inner);
  let column = item % params.inner;
  let place = item / params.inner % params.size;
  let base = outer * params.size * params.inner + column;
  let own = source[item];
  let own_key = order_key(compute(own));
  var rank = 0u;
  for (var i = 0u; i < params.size; i++) {
    let key = order_key(compute(source[base + i * params.inner]));
    let better = select((key < own_key), (key > own_key), params.largest == 1u);
    // Of equal elements the first comes first.
    rank += select(0u, 1u, better || (key == own_key && i < place));
  }
  if (rank >= params.k) { return; }
  let to = (outer * params.k + rank) * params.inner + column;
  values[to] = own;
  places[to] = i32(place);
}
