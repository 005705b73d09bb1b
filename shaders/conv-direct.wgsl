// Convolution, also transposed, by register tiles without staging: for adapters where workgroup memory
// costs as much as storage. Any kernel, stride, dilation, padding and group; 1-D to 3-D. Bindings and
// layouts are those of conv-tile.wgsl and conv-window.wgsl, which stand in front. Every invocation owns a
// tile of 4 * PIXEL_QUADS pixels by 4 * CHANNEL_QUADS outputs.

override WORKGROUP: u32 = 64u;
override PIXEL_QUADS: u32 = 1u; // 1, or 2 with two channel quads
override CHANNEL_QUADS: u32 = 1u; // 1, 2 or 4

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.tiles) { return; }
  let tile = place(id, PIXEL_QUADS, CHANNEL_QUADS);
  let p0 = pixelsAt(tile.pixel, tile.oz);
  let p1 = pixelsAt(tile.pixel + 4u, tile.oz);
  let plane = select(tile.image, tile.image * params.outDepth + tile.oz, POINTWISE);
  let x0 = (plane * params.groups + tile.group) * params.channels * params.inputStep;
  let steps = walkSteps();
  let row = 4u * params.outputQuads;
  var w = tile.group * steps * row + 4u * tile.quad;
  var t0: mat4x4f; var t1: mat4x4f; var t2: mat4x4f; var t3: mat4x4f;
  var at: Walk;
  // One loop, and in it no branch on data: software adapters copy every sum at each such edge.
  for (var step = 0u; step < steps; step++) {
    let X0 = load16(meetPixels(p0, at.k), x0, at.c);
    let W0 = weights16(w);
    t0 += X0 * W0;
    if (CHANNEL_QUADS == 4u) {
      t1 += X0 * weights16(w + 4u);
      t2 += X0 * weights16(w + 8u);
      t3 += X0 * weights16(w + 12u);
    } else if (CHANNEL_QUADS == 2u) {
      let W1 = weights16(w + 4u);
      t1 += X0 * W1;
      if (PIXEL_QUADS == 2u) {
        let X1 = load16(meetPixels(p1, at.k), x0, at.c);
        t2 += X1 * W0;
        t3 += X1 * W1;
      }
    }
    w += row;
    at = next(at);
  }
  storeTiles(array<mat4x4f, 4>(t0, t1, t2, t3), tile, PIXEL_QUADS, CHANNEL_QUADS, 1u, 1u);
}
