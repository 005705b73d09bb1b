// Packs convolution weights and bias for the kernels that read them, once at load where they are constant.
//
// w       element (group, tap, channel, output) at group * groupStep + output * outputStep
//         + channel * channelStep + tap: Conv and ConvTranspose order them differently. Where every tap of a
//         channel is a channel of its own, "channel" is channel * rowTaps + tap, and taps is 1.
// bias    [groups * groupOut]; any buffer where hasBias is 0
// packed  quads of four input channels, as [group][tap][inputQuads][4 * outputQuads], zero where channels or
//         outputs are padded; then the bias as quads of four outputs, [group][outputQuads]
// Every invocation owns one quad of `packed`.

struct Params {
  groups: u32, taps: u32, channels: u32, groupOut: u32,
  inputQuads: u32, outputQuads: u32, hasBias: u32,
  groupStep: u32, outputStep: u32, channelStep: u32, rowTaps: u32,
}

@group(0) @binding(0) var<storage, read> w: array<elem>;
@group(0) @binding(1) var<storage, read> bias: array<elem>;
@group(0) @binding(2) var<storage, read_write> packed: array<elem4>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  let wide = 4u * params.outputQuads;
  let weightQuads = params.groups * params.taps * params.inputQuads * wide;
  if (id >= weightQuads + params.groups * params.outputQuads) { return; }
  var quad = elem4();
  if (id < weightQuads) {
    let output = id % wide;
    let channel = 4u * (id / wide % params.inputQuads);
    let tap = id / (wide * params.inputQuads) % params.taps;
    let group = id / (wide * params.inputQuads * params.taps);
    if (output < params.groupOut) {
      let start = group * params.groupStep + output * params.outputStep + tap;
      for (var lane = 0u; lane < min(4u, params.channels - channel); lane++) {
        let row = channel + lane;
        quad[lane] = w[start + row / params.rowTaps * params.channelStep + row % params.rowTaps];
      }
    }
  } else if (params.hasBias == 1u) {
    let at = id - weightQuads;
    let output = 4u * (at % params.outputQuads);
    let start = at / params.outputQuads * params.groupOut + output;
    for (var lane = 0u; lane < min(4u, params.groupOut - output); lane++) { quad[lane] = bias[start + lane]; }
  }
  packed[id] = quad;
}
