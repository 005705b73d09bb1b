// What the slices that a Gather has copied pass back to where they came from: sums without atomics on floats, in the
// order of the indices. A workgroup owns some neighbouring rows of the result and `lanes` columns. It looks for its rows
// among the indices, a stretch of them at a time and each lane its own, then goes through those found, each lane adding
// up its own column; a run of one index stays in a register.
//   indices   `count` a set; a set for each of `outer`, or one for all
//   gradient  [outer, count, inner] units
//   result    [outer, size, inner] units
// In front of this text stand `alias unit` (what is stored), `alias total` (what is summed) and linear_workgroup().

override lanes: u32 = 64u;
// Looks that a lane takes at a stretch, and the words that what all lanes find takes: a bit a look.
override looks: u32 = 8u;
override words: u32 = 16u;

// rows: of a workgroup; index_step: from one set of indices to the next, 0 where there is one.
struct Params {
  workgroups: u32, row_blocks: u32, column_blocks: u32, rows: u32,
  size: u32, inner: u32, count: u32, index_step: u32
}

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> gradient: array<unit>;
@group(0) @binding(2) var<storage, read_write> result: array<unit>;
@group(0) @binding(3) var<uniform> params: Params;

// A bit for each index of the stretch: whether it names a row of this workgroup.
var<workgroup> found: array<atomic<u32>, words>;

fn row_at(index: u32) -> u32 {
  let picked = indices[index];
  let size = i32(params.size);
  return u32(clamp(select(picked, picked + size, picked < 0), 0, size - 1));
}

@compute @workgroup_size(lanes)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = linear_workgroup(group, groups);
  // Workgroups past the end, where the count was folded, own no rows.
  let outer = number / params.column_blocks / params.row_blocks;
  let first = (number / params.column_blocks) % params.row_blocks * params.rows;
  let last = select(first, min(first + params.rows, params.size), number < params.workgroups);
  let column = number % params.column_blocks * lanes + lane;
  let owner = column < params.inner;
  let own = outer * params.size * params.inner + column;
  if (owner) {
    for (var row = first; row < last; row++) { result[own + row * params.inner] = unit(); }
  }
  let stretch = lanes * looks;
  var row = params.size;
  var sum = total();
  for (var start = 0u; start < params.count; start += stretch) {
    for (var word = lane; word < words; word += lanes) { atomicStore(&found[word], 0u); }
    workgroupBarrier();
    for (var look = 0u; look < looks; look++) {
      let at = look * lanes + lane;
      if (start + at < params.count) {
        let place = row_at(outer * params.index_step + start + at);
        if (place >= first && place < last) { atomicOr(&found[at >> 5u], 1u << (at & 31u)); }
      }
    }
    workgroupBarrier();
    for (var word = 0u; word < words; word++) {
      var bits = atomicLoad(&found[word]);
      while (bits != 0u) {
        let n = start + word * 32u + countTrailingZeros(bits);
        bits &= bits - 1u;
        let place = row_at(outer * params.index_step + n);
        if (!owner) { continue; }
        if (place != row) {
          if (row < params.size) {
            let at = own + row * params.inner;
            result[at] = unit(total(result[at]) + sum);
          }
          row = place;
          sum = total();
        }
        sum += total(gradient[(outer * params.count + n) * params.inner + column]);
      }
    }
    workgroupBarrier();
  }
  if (owner && row < params.size) {
    let at = own + row * params.inner;
    result[at] = unit(total(result[at]) + sum);
  }
}
