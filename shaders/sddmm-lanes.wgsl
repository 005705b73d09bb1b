// Sampled product of two dense matrices (SDDMM): A · Bᵀ where a sparse matrix has entries, LANES invocations an entry:
// neighbours read neighbouring units of the two rows, and their sums are added in a fixed order.
//
// rowOffsets  [rows + 1]: row r has the entries rowOffsets[r] to rowOffsets[r + 1] - 1
// a           [rows, n] units
// b           [columns, n] units
// result      [entries]
// In front of this text stand `alias unit` (what is loaded), `columnAt(i)`, the column of entry i, `times(x, y)`, which
// multiplies two units and adds up what they hold, and linear_workgroup().

struct Params { entries: u32, rows: u32, n: u32 }

@group(0) @binding(0) var<storage, read> a: array<unit>;
@group(0) @binding(1) var<storage, read> b: array<unit>;
@group(0) @binding(3) var<storage, read> rowOffsets: array<i32>;
@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 8u; // a power of two
override ENTRIES: u32 = 8u;
override SUMS: u32 = 64u; // LANES * ENTRIES

var<workgroup> sums: array<f32, SUMS>;

@compute @workgroup_size(SUMS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let lane = local % LANES;
  let entry = linear_workgroup(group, count) * ENTRIES + local / LANES;
  var sum = 0f;
  if (entry < params.entries) {
    // The last row that begins at the entry or before it: rows without entries begin where the next one does.
    var row = 0u;
    var end = params.rows;
    while (end - row > 1u) {
      let middle = (row + end) >> 1u;
      if (u32(rowOffsets[middle]) <= entry) { row = middle; } else { end = middle; }
    }
    let atA = row * params.n;
    let atB = columnAt(entry) * params.n;
    for (var i = lane; i < params.n; i += LANES) { sum += times(a[atA + i], b[atB + i]); }
  }
  sums[local] = sum;
  for (var apart = LANES / 2u; apart > 0u; apart /= 2u) {
    workgroupBarrier();
    if (lane < apart) { sums[local] += sums[local + apart]; }
  }
  if (lane == 0u && entry < params.entries) { result[entry] = elem(sums[local]); }
}
