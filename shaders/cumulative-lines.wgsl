// Running sums or products along one axis, for many short lines: an invocation owns one line.
//   source, result  elements; neighbours on a line lie params.inner apart
// In front of this text stand `alias elem`, `alias total` (the type that is computed in), `neutral` and
// `combine(a: total, b: total) -> total`.

override workgroup_size: u32 = 64u;

struct Params { lines: u32, size: u32, inner: u32, exclusive: u32, backwards: u32 }

@group(0) @binding(0) var<storage, read> source: array<elem>;
@group(0) @binding(1) var<storage, read_write> result: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let line = id.y * count.x * workgroup_size + id.x;
  if (line >= params.lines) { return; }
  let base = (line / params.inner) * params.size * params.inner + line % params.inner;
  var so_far = neutral;
  for (var step = 0u; step < params.size; step++) {
    let place = select(step, params.size - 1u - step, params.backwards == 1u);
    let index = base + place * params.inner;
    let own = total(source[index]);
    result[index] = elem(select(combine(so_far, own), so_far, params.exclusive == 1u));
    so_far = combine(so_far, own);
  }
}
