// The k largest (or smallest) elements of each line, in order: k rounds, each finding the best element that
// comes behind the one found before. For small k.
//   source          elements; neighbours on a line lie params.inner apart
//   values, places  k elements a line, likewise params.inner apart; places are positions on the line
// In front of this text stand `alias elem`, `alias compute` and `order_key(compute) -> u32`. A workgroup owns one
// line.

override workgroup_size: u32 = 64u;

struct Params { lines: u32, size: u32, inner: u32, k: u32, largest: u32 }

@group(0) @binding(0) var<storage, read> source: array<elem>;
@group(0) @binding(1) var<storage, read_write> values: array<elem>;
@group(0) @binding(2) var<storage, read_write> places: array<i32>;
@group(0) @binding(3) var<uniform> params: Params;

var<workgroup> best_keys: array<u32, workgroup_size>;
// params.size stands for none.
var<workgroup> best_places: array<u32, workgroup_size>;

// Whether an element with key a at place i comes before one with key b at place j.
fn precedes(a: u32, i: u32, b: u32, j: u32) -> bool {
  let better = select((a < b), (a > b), params.largest == 1u);
  return better || (a == b && i < j);
}

@compute @workgroup_size(workgroup_size)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // Workgroups past the end, where the count was folded, repeat the last line unseen.
  let line = linear_workgroup(group, groups);
  let shown = min(line, params.lines - 1u);
  let base = (shown / params.inner) * params.size * params.inner + shown % params.inner;
  var last_key = 0u;
  var last_place = 0u;
  for (var round = 0u; round < params.k; round++) {
    var key = 0u;
    var place = params.size;
    for (var i = lane; i < params.size; i += workgroup_size) {
      let other = order_key(compute(source[base + i * params.inner]));
      let open = round == 0u || precedes(last_key, last_place, other, i);
      if (open && (place == params.size || precedes(other, i, key, place))) {
        key = other;
        place = i;
      }
    }
    best_keys[lane] = key;
    best_places[lane] = place;
    workgroupBarrier();
    for (var half = workgroup_size / 2u; half > 0u; half >>= 1u) {
      if (lane < half) {
        let other = best_places[lane + half];
        let mine = best_places[lane];
        let wins = mine == params.size || precedes(best_keys[lane + half], other, best_keys[lane], mine);
        if (other < params.size && wins) {
          best_keys[lane] = best_keys[lane + half];
          best_places[lane] = other;
        }
      }
      workgroupBarrier();
    }
    last_key = best_keys[0];
    last_place = best_places[0];
    workgroupBarrier();
    if (lane == 0u && line < params.lines) {
      let to = ((line / params.inner) * params.k + round) * params.inner + line % params.inner;
      values[to] = source[base + last_place * params.inner];
      places[to] = i32(last_place);
    }
  }
}
