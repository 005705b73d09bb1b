// Rows of sparse entries times a vector, several invocations a row: neighbours read neighbouring entries.
//
// dense  [length]
// In front: `valueAt(i)` and `columnAt(i)` of entry i, `rowStart(position)` where the entries of the row at a position begin
// and `rowAt(position)` which row that is, `store(row, v)` of one result.
// A workgroup owns the rows at ROWS positions with LANES invocations each, whose sums are added in a fixed order.

// The positions from `first` to `end` - 1 are this dispatch's.
struct Params { rows: u32, first: u32, end: u32, alpha: f32 }

@group(0) @binding(3) var<storage, read> dense: array<elem>;
@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 8u; // a power of two
override ROWS: u32 = 8u;
override SUMS: u32 = 64u; // LANES * ROWS

var<workgroup> sums: array<f32, SUMS>;

@compute @workgroup_size(SUMS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let lane = local % LANES;
  let position = params.first + linear_workgroup(group, count) * ROWS + local / LANES;
  var sum = 0f;
  if (position < params.end) {
    let end = rowStart(position + 1u);
    for (var i = rowStart(position) + lane; i < end; i += LANES) {
      sum += valueAt(i) * f32(dense[columnAt(i)]);
    }
  }
  sums[local] = sum;
  for (var apart = LANES / 2u; apart > 0u; apart /= 2u) {
    workgroupBarrier();
    if (lane < apart) { sums[local] += sums[local + apart]; }
  }
  if (lane == 0u && position < params.end) { store(rowAt(position), sums[local]); }
}
