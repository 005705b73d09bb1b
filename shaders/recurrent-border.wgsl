// Before the first step of recurrent-step.wgsl the state is filled from the initial one; behind the last step
// it is stored. An invocation owns one element of a region.
//   state  three regions of [directions, batch, stride]: two vectors, of which region `last` holds the last
//          output, and the units' memory; zeros past `hidden`
// In front: initial_h, initial_c, store_h, store_c over [directions, batch, hidden].

override workgroup_size: u32 = 64;

struct Params { items: u32, stride: u32, hidden: u32, last: u32, finish: u32 }

@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read_write> state: array<f32>;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let item = id.y * count.x * workgroup_size + id.x;
  if (item >= params.items) { return; }
  let unit = item % params.stride;
  let index = item / params.stride * params.hidden + unit;
  let inside = unit < params.hidden;
  if (params.finish == 1u) {
    if (inside) {
      store_h(index, state[params.last * params.items + item]);
      store_c(index, state[2u * params.items + item]);
    }
    return;
  }
  var h = 0f;
  var c = 0f;
  if (inside) {
    h = initial_h(index);
    c = initial_c(index);
  }
  state[item] = h;
  state[params.items + item] = 0.0;
  state[2u * params.items + item] = c;
}
