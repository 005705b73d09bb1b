// Rows of sparse entries times a vector, one row an invocation.
//
// dense  [length]
// In front: `valueAt(i)` and `columnAt(i)` of entry i, `rowStart(row)` where a row's entries begin, `store(row, v)` of one
// result.

struct Params { rows: u32 }

@group(0) @binding(3) var<storage, read> dense: array<elem>;
@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 64u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linear_workgroup(group, count) * LANES + local;
  if (row >= params.rows) { return; }
  let end = rowStart(row + 1u);
  // Turns of four entries, then what is left.
  var i = rowStart(row);
  var sums = vec4f();
  for (; i + 4u <= end; i += 4u) {
    let four = vec4f(valueAt(i), valueAt(i + 1u), valueAt(i + 2u), valueAt(i + 3u));
    sums += four * vec4f(elem4(
      dense[columnAt(i)], dense[columnAt(i + 1u)], dense[columnAt(i + 2u)], dense[columnAt(i + 3u)]));
  }
  var sum = (sums.x + sums.y) + (sums.z + sums.w);
  for (; i < end; i++) { sum += valueAt(i) * f32(dense[columnAt(i)]); }
  store(row, sum);
}
