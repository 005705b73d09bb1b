// Sparse matrix (CSR) times vector, several invocations a row: neighbours read neighbouring entries.
//
// values      [nnz]
// rowOffsets  [rows + 1]: row r has the entries rowOffsets[r] to rowOffsets[r + 1] - 1
// b           [columns]
// `columnAt(i)` (in front) is the column of entry i, `store(row, v)` writes one result.
// A workgroup owns ROWS rows of LANES invocations each, whose sums are added in a fixed order.

struct Params { rows: u32 }

@group(0) @binding(0) var<storage, read> values: array<elem>;
@group(0) @binding(2) var<storage, read> rowOffsets: array<i32>;
@group(0) @binding(3) var<storage, read> b: array<elem>;
@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 8u; // a power of two
override ROWS: u32 = 8u;
override SUMS: u32 = 64u; // LANES * ROWS

var<workgroup> sums: array<f32, SUMS>;

@compute @workgroup_size(SUMS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let lane = local % LANES;
  let row = linear_workgroup(group, count) * ROWS + local / LANES;
  var sum = 0f;
  if (row < params.rows) {
    let end = u32(rowOffsets[row + 1u]);
    for (var i = u32(rowOffsets[row]) + lane; i < end; i += LANES) {
      sum += f32(values[i]) * f32(b[columnAt(i)]);
    }
  }
  sums[local] = sum;
  for (var apart = LANES / 2u; apart > 0u; apart /= 2u) {
    workgroupBarrier();
    if (lane < apart) { sums[local] += sums[local + apart]; }
  }
  if (lane == 0u && row < params.rows) { store(row, sums[local]); }
}
