// Packs a matrix of which every four elements along k that begin at a multiple of four have at most two that are not zero
// ("2:4"), once at load: in blocks of 4 k × 4 columns, two values a column and where along k they stand.
//
// source     [k, n] in any orientation: element (k, c) lies at k * kStep + c * columnStep. In front: `numberAt(at)`, and
//            `putFour(place, four)` for the values
// values     two lines of four columns a block: [k quads, column quads, 2]
// positions  16 bits a block, its k quad being even or odd, [k quads / 2, column quads]: two bits a column for the first
//            line, then for the second. The first value of a column is never the last of its four, the second never the first.
// An invocation packs two blocks, one k quad after the other.

struct Params { k: u32, n: u32, kQuads: u32, columnQuads: u32, kStep: u32, columnStep: u32, invocations: u32 }

@group(0) @binding(1) var<storage, read_write> positions: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

override LANES: u32 = 64u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let place = linear_workgroup(group, count) * LANES + local;
  if (place >= params.invocations) { return; }
  let kPair = place / params.columnQuads;
  let columnQuad = place - kPair * params.columnQuads;
  var word = 0u;
  for (var half = 0u; half < 2u; half++) {
    let kQuad = 2u * kPair + half;
    if (kQuad >= params.kQuads) { break; }
    var first = number4();
    var second = number4();
    for (var i = 0u; i < 4u; i++) {
      let column = 4u * columnQuad + i;
      var found = 0u;
      for (var step = 0u; step < 4u; step++) {
        let k = 4u * kQuad + step;
        if (column >= params.n || k >= params.k) { continue; }
        let value = numberAt(k * params.kStep + column * params.columnStep);
        if (value == number()) { continue; }
        let isSecond = (found > 0u) || (step == 3u);
        if (isSecond) { second[i] = value; } else { first[i] = value; }
        word |= step << (16u * half + 2u * i + select(0u, 8u, isSecond));
        found++;
      }
    }
    let at = 2u * (kQuad * params.columnQuads + columnQuad);
    putFour(at, first);
    putFour(at + 1u, second);
  }
  positions[place] = word;
}
