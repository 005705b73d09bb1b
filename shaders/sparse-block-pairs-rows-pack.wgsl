// Packs a matrix of which every four elements along k that begin at a multiple of four have at most two that are not zero
// ("2:4"), once at load, row by row.
//
// source     [m, k] in any orientation: element (r, k) lies at r * rowStep + k * kStep
// values     [m, 8 * words] two values for every quad of k
// positions  [m, words] where along k they stand: two bits for the first, two for the second, eight quads a word
// An invocation packs eight quads of a row.

struct Params { m: u32, k: u32, words: u32, rowStep: u32, kStep: u32, invocations: u32 }

@group(0) @binding(0) var<storage, read> source: array<elem>;
@group(0) @binding(1) var<storage, read_write> values: array<vec2<elem>>;
@group(0) @binding(2) var<storage, read_write> positions: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

override LANES: u32 = 64u;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = linear_workgroup(group, count) * LANES + local;
  if (number >= params.invocations) { return; }
  let row = number / params.words;
  let firstK = 32u * (number - row * params.words);
  var word = 0u;
  for (var quad = 0u; quad < 8u; quad++) {
    var pair = vec2<elem>();
    var found = 0u;
    for (var step = 0u; step < 4u; step++) {
      let k = firstK + 4u * quad + step;
      if (k >= params.k) { continue; }
      let value = source[row * params.rowStep + k * params.kStep];
      if (value == elem(0)) { continue; }
      if (found == 0u) { pair.x = value; } else { pair.y = value; }
      word |= step << (4u * quad + 2u * min(found, 1u));
      found++;
    }
    values[8u * number + quad] = pair;
  }
  positions[number] = word;
}
