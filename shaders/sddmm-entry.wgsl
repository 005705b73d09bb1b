// Sampled product of two dense matrices (SDDMM): A · Bᵀ where a sparse matrix has entries, one entry an invocation.
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

override LANES: u32 = 64u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let entry = linear_workgroup(group, count) * LANES + local;
  if (entry >= params.entries) { return; }
  // The last row that begins at the entry or before it: rows without entries begin where the next one does.
  var row = 0u;
  var end = params.rows;
  while (end - row > 1u) {
    let middle = (row + end) >> 1u;
    if (u32(rowOffsets[middle]) <= entry) { row = middle; } else { end = middle; }
  }
  let atA = row * params.n;
  let atB = columnAt(entry) * params.n;
  var sum = 0f;
  for (var i = 0u; i < params.n; i++) { sum += times(a[atA + i], b[atB + i]); }
  result[entry] = elem(sum);
}
