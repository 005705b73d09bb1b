// Puts elements back where pooling found them, into a result of zeros.
//   x       elements
//   places  of each, its place in a tensor of sizes params.counted
//   result  a tensor that may be larger along each axis; params.steps are its strides
// In front of this text stands `alias elem`. An invocation owns one element of x. Where two name one place, as
// overlapping windows do with a common maximum, they bring the same element.

override workgroup_size: u32 = 64u;

struct Params { count: u32, rank: u32, size: u32, counted: array<vec4u, 2>, dims: array<vec4u, 2>, steps: array<vec4u, 2> }

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> places: array<i32>;
@group(0) @binding(2) var<storage, read_write> result: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * workgroup_size + id.x;
  if (index >= params.count) { return; }
  let place = places[index];
  if (place < 0 || u32(place) >= params.size) { return; }
  var rest = u32(place);
  var to = 0u;
  for (var k = params.rank; k > 0u; k--) {
    let d = k - 1u;
    let size = params.counted[d >> 2u][d & 3u];
    let at = rest % size;
    if (at >= params.dims[d >> 2u][d & 3u]) { return; }
    to += at * params.steps[d >> 2u][d & 3u];
    rest /= size;
  }
  result[to] = x[index];
}
