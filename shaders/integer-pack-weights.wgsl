// Packs the 8-bit weights of an integer convolution so that a word holds four channels of one tap of one output,
// and four neighbouring outputs stand side by side. The left operand of a matrix product is such weights: k
// channels of m outputs.
//
// source  elements [groups, outputs, channels, taps], read by `element(at) -> u32` (in front): a signed byte
// packed  words [groups, quads of outputs, taps, quads of channels, 4 outputs]; 0 past the last output or channel
// Every invocation owns one word.

struct Params { outputs: u32, channels: u32, taps: u32, outputQuads: u32, quads: u32, words: u32 }

@group(0) @binding(1) var<storage, read_write> packed: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.words) { return; }
  let channel = 4u * (id / 4u % params.quads);
  let tap = id / (4u * params.quads) % params.taps;
  let quad = id / (4u * params.quads * params.taps);
  let output = 4u * (quad % params.outputQuads) + id % 4u;
  var word = 0u;
  if (output < params.outputs) {
    let row = quad / params.outputQuads * params.outputs + output;
    let start = (row * params.channels + channel) * params.taps + tap;
    for (var lane = 0u; lane < min(4u, params.channels - channel); lane++) {
      word |= element(start + lane * params.taps) << (8u * lane);
    }
  }
  packed[id] = word;
}
