// Convolution by register tiles of one pixel quad and four channel quads, where the four invocations of a
// quad own tiles of the same outputs: each loads the weights of one channel quad and swaps them with the
// others. Bindings and layouts are those of conv-tile.wgsl, which stands in front; pixelTiles is a multiple of
// four. Behind it, conv-quad-window.wgsl or conv-quad-planes.wgsl says how pixels are read:
//   sourceAt(tile) -> Source, fourChannels(source) -> mat4x4f (a column a channel), nextChannels(source) -> Source
//   walkSteps() -> u32, how many steps there are
// Needs `enable subgroups;` in front of everything.

override WORKGROUP: u32 = 16u;

// The tile of four outputs, a column each.
fn storeQuad(sums: mat4x4f, at: Place, quad: u32) {
  if (at.pixel >= params.pixels || quad >= params.outputQuads) { return; }
  let bias = biasAt(at.group, quad);
  let m = at.group * params.groupOut + 4u * quad;
  let y0 = (at.image * params.groups * params.groupOut + m) * params.outputStep + at.oz * params.pixels + at.pixel;
  let lanes = params.pixels - at.pixel;
  let outputs = params.groupOut - 4u * quad;
  store(y0, lanes, m, sums[0] + bias.x);
  if (outputs > 1u) { store(y0 + params.outputStep, lanes, m + 1u, sums[1] + bias.y); }
  if (outputs > 2u) { store(y0 + 2u * params.outputStep, lanes, m + 2u, sums[2] + bias.z); }
  if (outputs > 3u) { store(y0 + 3u * params.outputStep, lanes, m + 3u, sums[3] + bias.w); }
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32, @builtin(subgroup_invocation_id) invocation: u32,
) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  let tile = place(min(id, params.tiles - 1u), 1u, 4u);
  let lane = invocation & 3u;
  let steps = walkSteps();
  var w = tile.group * steps * 4u * params.outputQuads + 4u * (tile.quad + lane);
  var source = sourceAt(tile);
  // t1 to t3 belong to the channel quads of the lanes that the weights came from.
  var t0: mat4x4f; var t1: mat4x4f; var t2: mat4x4f; var t3: mat4x4f;
  for (var step = 0u; step < steps; step++) {
    let X = fourChannels(source);
    let own = weights16(w);
    t0 += X * own;
    t1 += X * mat4x4f(quadSwapX(own[0]), quadSwapX(own[1]), quadSwapX(own[2]), quadSwapX(own[3]));
    t2 += X * mat4x4f(quadSwapY(own[0]), quadSwapY(own[1]), quadSwapY(own[2]), quadSwapY(own[3]));
    t3 += X * mat4x4f(quadSwapDiagonal(own[0]), quadSwapDiagonal(own[1]), quadSwapDiagonal(own[2]), quadSwapDiagonal(own[3]));
    w += 4u * params.outputQuads;
    source = nextChannels(source);
  }
  if (id >= params.tiles) { return; }
  // By turns, so that the text of a store stands here once.
  for (var turn = 0u; turn < 4u; turn++) {
    storeQuad(t0, tile, tile.quad + (lane ^ turn));
    t0 = t1;
    t1 = t2;
    t2 = t3;
  }
}
