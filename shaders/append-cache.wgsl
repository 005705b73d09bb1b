// New keys or values written behind the earlier ones of each batch, whose number the run knows.
//
// past     [batch, heads, PAST positions, depth], added  as `addedSteps` say, result  [batch, heads, length, depth];
//          floats, `unit` being one of them or four
// lengths  i32 [batch]: earlier and new positions together, where FROM_END; else the new ones come first
// An invocation owns one unit. In front: unit, linear_workgroup, `pastAt(index)`, `lengthOf(batch)`.

override LANES: u32 = 64u;
override FROM_END: bool = true;

struct Params {
  // Units from one batch, head and position of the new ones to the next.
  addedSteps: vec4u,
  units: u32, depth: u32, length: u32, heads: u32, past: u32, added: u32,
}

@group(0) @binding(0) var<storage, read> added: array<unit>;
@group(0) @binding(1) var<storage, read_write> result: array<unit>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = linear_workgroup(group, count) * LANES + local;
  if (index >= params.units) { return; }
  let place = index % params.depth;
  let line = index / params.depth;
  let position = line % params.length;
  let head = line / params.length;
  let batch = head / params.heads;
  var first = 0u;
  if (FROM_END) { first = u32(max(lengthOf(batch) - i32(params.added), 0i)); }
  var value = unit();
  if (position < first) {
    if (position < params.past) { value = pastAt((head * params.past + position) * params.depth + place); }
  } else if (position - first < params.added) {
    let steps = params.addedSteps;
    value = added[batch * steps.x + head % params.heads * steps.y + (position - first) * steps.z + place];
  }
  result[index] = value;
}
