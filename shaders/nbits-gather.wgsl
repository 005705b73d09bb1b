// Quantised weights as a product with quantised weights takes them: the numbers of a column one behind the other, packed.
//
// source  elements [columns, numbers], or [numbers, columns]; `element(at) -> u32` (in front) reads one, signed ones
//         raised by half their range
// packed  words: columns of `bytes` bytes each, the first number in the low bits; past the last number 0
// Every invocation owns one word, which may hold the end of one column and the beginning of the next.

struct Params { columns: u32, numbers: u32, columnStep: u32, step: u32, bytes: u32, words: u32 }

@group(0) @binding(1) var<storage, read_write> packed: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override BITS: u32 = 8u; // 4 or 8

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.words) { return; }
  var word = 0u;
  for (var bit = 0u; bit < 32u; bit += BITS) {
    let at = 32u / 8u * id + bit / 8u;
    let column = at / params.bytes;
    let number = (at % params.bytes * 8u + bit % 8u) / BITS;
    if (column < params.columns && number < params.numbers) {
      word |= element(column * params.columnStep + number * params.step) << bit;
    }
  }
  packed[id] = word;
}
