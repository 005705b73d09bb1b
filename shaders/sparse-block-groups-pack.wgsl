// Packs the blocks of 1×4 that have a non-zero by groups of rows, once at load.
//
// source  the matrix [rows, length]: element (r, i) lies at r * rowStep + i * inputStep. In front: `numberAt(at)`, and
//         `putFour(place, four)` for the values
// starts  [lineQuads + 1]: where the blocks of each quad of inputs may begin, in fours of blocks
// values  a block's four inputs, blocks in fours
// places  of each four the rows within the group, a byte each
// ranges  [groups, lineQuads]: of each group the fours of a quad of inputs. The last is filled up with zeros.
// An invocation takes a quad of inputs of all rows. There may be fewer blocks than there is room for.

struct Params { rows: u32, groupRows: u32, length: u32, lineQuads: u32, groups: u32, rowStep: u32, inputStep: u32 }

@group(0) @binding(1) var<storage, read> starts: array<u32>;
@group(0) @binding(3) var<storage, read_write> places: array<u32>;
@group(0) @binding(4) var<storage, read_write> ranges: array<vec2u>;
@group(0) @binding(5) var<uniform> params: Params;

override LANES: u32 = 16u;

fn element(row: u32, input: u32) -> number {
  return select(number(), numberAt(row * params.rowStep + input * params.inputStep), input < params.length);
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let quad = linear_workgroup(group, count) * LANES + local;
  if (quad >= params.lineQuads) { return; }
  let input = 4u * quad;
  let end = 4u * starts[quad + 1u];
  var at = 4u * starts[quad];
  for (var i = 0u; i < params.groups; i++) {
    let first = i * params.groupRows;
    let begin = at / 4u;
    var four = 0u;
    for (var row = first; row < min(first + params.groupRows, params.rows); row++) {
      let block = number4(element(row, input), element(row, input + 1u), element(row, input + 2u), element(row, input + 3u));
      if (all(block == number4()) || at >= end) { continue; }
      putFour(at, block);
      four = select(four, 0u, (at & 3u) == 0u) | ((row - first) << (8u * (at & 3u)));
      places[at / 4u] = four;
      at++;
    }
    for (; (at & 3u) != 0u; at++) { putFour(at, number4()); }
    ranges[i * params.lineQuads + quad] = vec2u(begin, at / 4u);
  }
}
