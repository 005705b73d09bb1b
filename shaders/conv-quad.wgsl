// Convolution like conv-direct.wgsl, with one pixel quad and four channel quads a tile, where the four
// invocations of a quad own tiles of the same outputs: each loads the weights of one channel quad and hands
// them to the others. Bindings and layouts are those of conv-tile.wgsl and conv-window.wgsl; pixelTiles is a
// multiple of four. Needs `enable subgroups;` in front of everything.

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) lane: u32,
) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  let tile = place(min(id, params.tiles - 1u), 1u, 4u);
  let p = pixelsAt(tile.pixel, tile.oz);
  let x0 = (tile.image * params.groups + tile.group) * params.channels * params.inputStep;
  let steps = walkSteps();
  var w = tile.group * steps * 4u * params.outputQuads + 4u * tile.quad + 4u * (lane & 3u);
  var t0: mat4x4f; var t1: mat4x4f; var t2: mat4x4f; var t3: mat4x4f;
  var at: Walk;
  for (var step = 0u; step < steps; step++) {
    let own = weights16(w);
    let X = load16(meetPixels(p, at.k), x0, at.c);
    t0 += X * mat4x4f(quadBroadcast(own[0], 0u), quadBroadcast(own[1], 0u), quadBroadcast(own[2], 0u), quadBroadcast(own[3], 0u));
    t1 += X * mat4x4f(quadBroadcast(own[0], 1u), quadBroadcast(own[1], 1u), quadBroadcast(own[2], 1u), quadBroadcast(own[3], 1u));
    t2 += X * mat4x4f(quadBroadcast(own[0], 2u), quadBroadcast(own[1], 2u), quadBroadcast(own[2], 2u), quadBroadcast(own[3], 2u));
    t3 += X * mat4x4f(quadBroadcast(own[0], 3u), quadBroadcast(own[1], 3u), quadBroadcast(own[2], 3u), quadBroadcast(own[3], 3u));
    w += 4u * params.outputQuads;
    at = next(at);
  }
  if (id < params.tiles) { storeTiles(array<mat4x4f, 4>(t0, t1, t2, t3), tile, 1u, 4u, 1u, 1u); }
}
