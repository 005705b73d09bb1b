// The pixels of a 1×1 convolution with stride 1 for conv-quad.wgsl, which stands in front: whole quads of them.
//
// x  [planes, groups * channels, inputStep], inputStep at least params.pixels and a multiple of four

@group(0) @binding(0) var<storage, read> x: array<elem4>;

// The next of four channels, and the quad of pixels in the first.
struct Source { channel: u32, x0: u32 }

fn walkSteps() -> u32 { return (params.channels + 3u) / 4u; }

fn sourceAt(tile: Place) -> Source {
  let plane = tile.image * params.outDepth + tile.oz;
  let quad = min(tile.pixel / 4u, params.inputStep / 4u - 1u);
  return Source(0u, (plane * params.groups + tile.group) * params.channels * (params.inputStep / 4u) + quad);
}

// The last channel again where there are fewer: its weights are zero.
fn fourChannels(source: Source) -> mat4x4f {
  let last = params.channels - 1u;
  let row = params.inputStep / 4u;
  return mat4x4f(
    vec4f(x[source.x0 + min(source.channel, last) * row]), vec4f(x[source.x0 + min(source.channel + 1u, last) * row]),
    vec4f(x[source.x0 + min(source.channel + 2u, last) * row]), vec4f(x[source.x0 + min(source.channel + 3u, last) * row]));
}

fn nextChannels(source: Source) -> Source {
  return Source(source.channel + 4u, source.x0);
}
