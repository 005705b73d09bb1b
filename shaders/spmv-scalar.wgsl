// Sparse matrix (CSR) times vector, one row an invocation.
//
// values      [nnz]
// rowOffsets  [rows + 1]: row r has the entries rowOffsets[r] to rowOffsets[r + 1] - 1
// b           [columns]
// `columnAt(i)` (in front) is the column of entry i, `store(row, v)` writes one result.

struct Params { rows: u32 }

@group(0) @binding(0) var<storage, read> values: array<elem>;
@group(0) @binding(2) var<storage, read> rowOffsets: array<i32>;
@group(0) @binding(3) var<storage, read> b: array<elem>;
@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 64u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = linear_workgroup(group, count) * LANES + local;
  if (row >= params.rows) { return; }
  let end = u32(rowOffsets[row + 1u]);
  var sum = 0f;
  for (var i = u32(rowOffsets[row]); i < end; i++) {
    sum += f32(values[i]) * f32(b[columnAt(i)]);
  }
  store(row, sum);
}
