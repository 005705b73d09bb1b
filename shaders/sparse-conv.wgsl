// Convolution by sparse weights: the entries of one output channel times strips of four output columns.
//
// values    [entries] and columns [entries], 16 bits each or 32 where WIDE, as sparse-pack.wgsl leaves them: times columnStep, how
//           many quads from where a group begins in a strip an entry meets the first output row
// channels  [outputs + 1] of Entries, those with most of them first: rows begin at a multiple of four, to which is added how many
//           places before the next row are padding; then the output channel
// strips    [batch, columnQuads, groups, groupStep] of quads, as sparse-conv-strips.wgsl leaves them, or an image itself
// y         [batch, outputs, outHeight, outWidth], written by `store` (in front of this text)
// Every invocation owns QUADS output rows, LINE rows apart, of one strip of one output channel. LINE neighbours own neighbouring
// rows, which makes a block; then come the channels, so that all of them read the same block soon after one another.
// `biasOf(channel)` stands in front, too.

struct Params {
  outputs: u32, groups: u32, groupOut: u32, groupStep: u32, columnStep: u32,
  outHeight: u32, outWidth: u32, strideY: u32,
  columnQuads: u32, blocks: u32, parts: u32, // blocks in a strip, and in all
}

struct Entries { begin: u32, channel: u32 }

@group(0) @binding(0) var<storage, read> values: array<elem>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<storage, read> strips: array<elem4>;
@group(0) @binding(5) var<storage, read> channels: array<Entries>;

override WORKGROUP: u32 = 64u;
override LINE: u32 = 1u;
override QUADS: u32 = 1u; // 1, 4, 7 or 8
override WIDE: bool = false;

fn columnOf(entry: u32) -> u32 {
  if (WIDE) { return columns[entry]; }
  return (columns[entry >> 1u] >> (16u * (entry & 1u))) & 0xffffu;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  let line = id / LINE;
  let part = line / params.outputs; // [image][strip][block]
  let strip = part / params.blocks;
  let row = (part - strip * params.blocks) * LINE * QUADS + id % LINE;
  if (part >= params.parts || row >= params.outHeight) { return; }
  let position = line - part * params.outputs;
  let entries = channels[position];
  let begin = entries.begin & ~3u;
  let end = (channels[position + 1u].begin & ~3u) - (entries.begin & 3u);
  let start = (strip * params.groups + entries.channel / params.groupOut) * params.groupStep + row * params.strideY;
  let step = LINE * params.strideY;
  var s0: vec4f; var s1: vec4f; var s2: vec4f; var s3: vec4f;
  var s4: vec4f; var s5: vec4f; var s6: vec4f; var s7: vec4f;
  // More entries a turn would be slower: their loads are in one another's way.
  for (var entry = begin; entry < end; entry++) {
    let at = start + columnOf(entry) * params.columnStep;
    let value = f32(values[entry]);
    s0 += value * vec4f(strips[at]);
    if (QUADS > 1u) {
      s1 += value * vec4f(strips[at + step]);
      s2 += value * vec4f(strips[at + 2u * step]);
      s3 += value * vec4f(strips[at + 3u * step]);
    }
    if (QUADS > 4u) {
      s4 += value * vec4f(strips[at + 4u * step]);
      s5 += value * vec4f(strips[at + 5u * step]);
      s6 += value * vec4f(strips[at + 6u * step]);
    }
    if (QUADS > 7u) { s7 += value * vec4f(strips[at + 7u * step]); }
  }

  var sums = array<vec4f, 8>(s0, s1, s2, s3, s4, s5, s6, s7);
  let bias = biasOf(entries.channel);
  let image = strip / params.columnQuads;
  let column = 4u * (strip - image * params.columnQuads);
  let plane = (image * params.outputs + entries.channel) * params.outHeight;
  // The rows past the last of an image are its neighbours': they were read, and are left out.
  for (var i = 0u; i < QUADS && row + i * LINE < params.outHeight; i++) {
    store((plane + row + i * LINE) * params.outWidth + column, params.outWidth - column, entries.channel, sums[i] + bias);
  }
}
