// Determinants by elimination with row pivots: a workgroup owns one matrix.
//   x       matrices of size × size
//   work    their copies, in which rows are swapped and eliminated
//   result  one determinant each
// In front of this text stand `alias elem` and `linear_workgroup`.

override workgroup_size: u32 = 64u;

struct Params { matrices: u32, size: u32 }

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read_write> work: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = linear_workgroup(group, groups);
  // Where the count of workgroups was folded, those past the end have nothing to do between the barriers.
  let size = params.size;
  let rows = select(0u, size, number < params.matrices);
  let start = min(number, params.matrices - 1u) * size * size;
  for (var i = lane; i < rows * size; i += workgroup_size) { work[start + i] = f32(x[start + i]); }
  storageBarrier();

  var determinant = 1.0;
  for (var k = 0u; k < size; k++) {
    // Every lane looks for the pivot, which spares a reduction.
    var pivot = k;
    for (var row = k + 1u; row < rows; row++) {
      if (abs(work[start + row * size + k]) > abs(work[start + pivot * size + k])) { pivot = row; }
    }
    storageBarrier();
    if (pivot != k) {
      for (var column = k + lane; column < rows; column += workgroup_size) {
        let held = work[start + k * size + column];
        work[start + k * size + column] = work[start + pivot * size + column];
        work[start + pivot * size + column] = held;
      }
      determinant = -determinant;
    }
    storageBarrier();
    let head = work[start + k * size + k];
    determinant *= head;
    let rest = size - k - 1u;
    if (rows > 0u && head != 0.0) {
      for (var i = lane; i < rest * rest; i += workgroup_size) {
        let row = start + (k + 1u + i / rest) * size;
        let column = k + 1u + i % rest;
        work[row + column] -= work[row + k] / head * work[start + k * size + column];
      }
    }
    storageBarrier();
  }
  if (lane == 0u && rows == size && number < params.matrices) { result[number] = elem(determinant); }
}
