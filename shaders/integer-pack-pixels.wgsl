// Packs the 8-bit input of an integer convolution so that a word holds four channels of one pixel. The right
// operand of a matrix product is such an input: k channels of n pixels.
//
// source  elements [planes, channels, pixels], read by `element(at) -> u32` (in front): a signed byte
// packed  words [planes, quads of channels, pixels], the first channel in the low byte, 0 past the last one
// Every invocation owns one word.

struct Params { channels: u32, pixels: u32, quads: u32, words: u32 }

@group(0) @binding(1) var<storage, read_write> packed: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.words) { return; }
  let pixel = id % params.pixels;
  let row = id / params.pixels;
  let channel = 4u * (row % params.quads);
  let start = (row / params.quads * params.channels + channel) * params.pixels + pixel;
  var word = 0u;
  for (var lane = 0u; lane < min(4u, params.channels - channel); lane++) {
    word |= element(start + lane * params.pixels) << (8u * lane);
  }
  packed[id] = word;
}
