// The pixels of any convolution for conv-quad.wgsl, gathered tap by tap through conv-window.wgsl: both stand in
// front.

struct Source { pixels: Pixels, x0: u32, at: Walk }

fn sourceAt(tile: Place) -> Source {
  let x0 = (tile.image * params.groups + tile.group) * params.channels * params.inputStep;
  return Source(pixelsAt(tile.pixel, tile.oz), x0, Walk());
}

fn fourChannels(source: Source) -> mat4x4f {
  return load16(meetPixels(source.pixels, source.at.k), source.x0, source.at.c);
}

fn nextChannels(source: Source) -> Source {
  return Source(source.pixels, source.x0, next(source.at));
}
