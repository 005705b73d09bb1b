// Winograd's transform of 3×3 weights, G w Gᵀ, packed as conv-pack.wgsl packs a 1×1 convolution of 36 × groups
// groups. Run once at load. Points 0, ±3/4, ±3/2 and infinity: they keep rounding errors smallest
// (https://arxiv.org/abs/1803.10986).
//
// w       [groups * groupOut, channels, 3, 3]
// packed  quads of four input channels, as [6][6][group][inputQuads][4 * outputQuads], zero where channels or
//         outputs are padded
// Every invocation owns four input channels of one output.

struct Params { groups: u32, channels: u32, groupOut: u32, inputQuads: u32, outputQuads: u32 }

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<vec4f>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

fn weightLine(w0: vec4f, w1: vec4f, w2: vec4f) -> array<vec4f, 6> {
  let even3 = (w0 + 0.5625 * w2) / -1.8984375;
  let odd3 = 0.75 * w1 / -1.8984375;
  let even6 = (w0 + 2.25 * w2) / 7.59375;
  let odd6 = 1.5 * w1 / 7.59375;
  return array<vec4f, 6>(w0 / 1.265625, even3 + odd3, even3 - odd3, even6 + odd6, even6 - odd6, w2);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  let wide = 4u * params.outputQuads;
  let each = params.groups * params.inputQuads * wide; // quads at one of the 36 points
  if (id >= each) { return; }
  let output = id % wide;
  let channel = 4u * (id / wide % params.inputQuads);
  let group = id / (wide * params.inputQuads);
  var taps: array<vec4f, 9>;
  if (output < params.groupOut) {
    let start = ((group * params.groupOut + output) * params.channels + channel) * 9u;
    for (var lane = 0u; lane < min(4u, params.channels - channel); lane++) {
      for (var tap = 0u; tap < 9u; tap++) { taps[tap][lane] = w[start + lane * 9u + tap]; }
    }
  }
  var lines: array<array<vec4f, 6>, 3>;
  for (var x = 0u; x < 3u; x++) { lines[x] = weightLine(taps[x], taps[x + 3u], taps[x + 6u]); }
  for (var i = 0u; i < 6u; i++) {
    let line = weightLine(lines[0][i], lines[1][i], lines[2][i]);
    for (var j = 0u; j < 6u; j++) { packed[(6u * i + j) * each + id] = line[j]; }
  }
}
