// Linear attention, all time steps in one dispatch. A workgroup owns `columns` columns of one head's state, which
// is [key_size, value_size] and stays in workgroup memory: columns never meet. `parts` invocations share a
// column's rows and join their sums.
//   query  [batch, steps, query_heads * key_size]    key    [batch, steps, heads * key_size]
//   value  [batch, steps, heads * value_size]        result [batch, steps, query_heads * value_size]
//   decay_at, beta_at(token, head, row), past_at, store_present(index into [batch, heads, key_size, value_size])
// In front: elem, those functions, decays and corrects (bool): whether the rule has a decay, and the delta form.

override columns: u32 = 16;
override parts: u32 = 4;
override slots: u32 = 64; // columns * parts
override key_size: u32 = 64;
override state_slots: u32 = 1024; // columns * key_size

struct Params { steps: u32, heads: u32, group: u32, value_size: u32, scale: f32 }

@group(0) @binding(0) var<storage, read> query: array<elem>;
@group(0) @binding(1) var<storage, read> key: array<elem>;
@group(0) @binding(2) var<storage, read> value: array<elem>;
@group(0) @binding(3) var<storage, read_write> result: array<elem>;
@group(0) @binding(4) var<uniform> params: Params;

var<workgroup> state: array<f32, state_slots>;
var<workgroup> partials: array<f32, slots>;

@compute @workgroup_size(columns, parts)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = group.x * columns + local.x;
  let head = group.y;
  let batch = group.z;
  let present = column < params.value_size;
  let first = (batch * params.heads + head) * key_size * params.value_size + column;
  for (var i = local.y; i < key_size; i += parts) {
    var s = 0f;
    if (present) { s = past_at(first + i * params.value_size); }
    state[i * columns + local.x] = s;
  }
  for (var step = 0u; step < params.steps; step++) {
    let token = batch * params.steps + step;
    let keys = (token * params.heads + head) * key_size;
    var retrieved = 0f;
    if (decays || corrects) {
      for (var i = local.y; i < key_size; i += parts) {
        var s = state[i * columns + local.x];
        if (decays) {
          s *= exp(min(decay_at(token, head, i), 88.0));
          state[i * columns + local.x] = s;
        }
        retrieved += f32(key[keys + i]) * s;
      }
    }
    var written = 0f;
    if (present) { written = f32(value[(token * params.heads + head) * params.value_size + column]); }
    if (corrects) { written = (written - join(retrieved, local)) * beta_at(token, head); }
    for (var i = local.y; i < key_size; i += parts) { state[i * columns + local.x] += f32(key[keys + i]) * written; }
    for (var member = 0u; member < params.group; member++) {
      let reader = token * params.heads * params.group + head * params.group + member;
      var readout = 0f;
      for (var i = local.y; i < key_size; i += parts) {
        readout += f32(query[reader * key_size + i]) * state[i * columns + local.x];
      }
      let total = join(readout, local);
      if (present && local.y == 0u) { result[reader * params.value_size + column] = elem(params.scale * total); }
    }
  }
  if (present) {
    for (var i = local.y; i < key_size; i += parts) {
      store_present(first + i * params.value_size, state[i * columns + local.x]);
    }
  }
}

fn join(sum: f32, local: vec3u) -> f32 {
  partials[local.y * columns + local.x] = sum;
  workgroupBarrier();
  var total = 0f;
  for (var part = 0u; part < parts; part++) { total += partials[part * columns + local.x]; }
  workgroupBarrier();
  return total;
}
