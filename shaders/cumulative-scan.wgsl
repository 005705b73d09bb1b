// Running sums or products along one axis. A workgroup owns one line: it walks the line in pieces of its own size, scans
// each in workgroup memory, and carries the total on.
//   source, result  elements; neighbours on a line lie params.inner apart
// In front of this text stand `alias elem`, `alias total` (the type that is computed in), `neutral` and
// `combine(a: total, b: total) -> total`.

override workgroup_size: u32 = 64u;

struct Params { lines: u32, size: u32, inner: u32, exclusive: u32, backwards: u32 }

@group(0) @binding(0) var<storage, read> source: array<elem>;
@group(0) @binding(1) var<storage, read_write> result: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> partial: array<total, workgroup_size>;

@compute @workgroup_size(workgroup_size)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let line = linear_workgroup(group, groups);
  // Workgroups past the end, where the count was folded, repeat the last line's work unseen.
  let inside = line < params.lines;
  let base = (line / params.inner) * params.size * params.inner + line % params.inner;
  var carry = neutral;
  for (var start = 0u; start < params.size; start += workgroup_size) {
    let step = start + lane;
    let present = inside && step < params.size;
    let place = select(step, params.size - 1u - step, params.backwards == 1u);
    let index = base + place * params.inner;
    var own = neutral;
    if (present) { own = total(source[index]); }
    partial[lane] = own;
    workgroupBarrier();
    for (var reach = 1u; reach < workgroup_size; reach <<= 1u) {
      var before = neutral;
      if (lane >= reach) { before = partial[lane - reach]; }
      workgroupBarrier();
      partial[lane] = combine(before, partial[lane]);
      workgroupBarrier();
    }
    var so_far = carry;
    if (params.exclusive == 0u) { so_far = combine(carry, partial[lane]); } else if (lane > 0u) { so_far = combine(carry, partial[lane - 1u]); }
    if (present) { result[index] = elem(so_far); }
    carry = combine(carry, partial[workgroup_size - 1u]);
    workgroupBarrier();
  }
}
