// Convolution as a matrix product staged through workgroup memory. Bindings and layouts are those of
// conv-tile.wgsl, which stands in front; behind it, conv-gather.wgsl or conv-pointwise.wgsl says how pixels
// reach workgroup memory:
//   startPixels(tile, local)          once, before the first stage
//   fillPixels(first, steps, local)   writes STAGE steps from `first` on; zero beyond `steps`
//   stagedPixels(step, quad)          four pixels (rows) of four channels (columns)
//
// A workgroup of SIDE × SIDE invocations owns one tile of N = 4 * SIDE * PIXEL_QUADS pixels by
// M = 4 * SIDE * CHANNEL_QUADS outputs, and walks taps and channels in stages of STAGE steps (a step: four
// channels of one tap). Its invocation (i, j) owns every SIDE-th quad from quad i of pixels and j of outputs.

override SIDE: u32 = 16u; // 8 or 16
override PIXEL_QUADS: u32 = 1u; // 1 or 2
override CHANNEL_QUADS: u32 = 1u; // 1 or 2
override STAGE: u32 = 4u;

override INVOCATIONS: u32 = SIDE * SIDE;
override M: u32 = 4u * SIDE * CHANNEL_QUADS;
override N: u32 = 4u * SIDE * PIXEL_QUADS;
override WEIGHT_LINES: u32 = STAGE * M;

var<workgroup> ws: array<vec4f, WEIGHT_LINES>; // [step][output]: four channels

fn stagedWeights(step: u32, quad: u32) -> mat4x4f {
  let at = step * M + 4u * quad;
  return mat4x4f(ws[at], ws[at + 1u], ws[at + 2u], ws[at + 3u]);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count);
  if (id >= params.tiles) { return; }
  let tile = place(id, N / 4u, M / 4u);
  let i = local % SIDE;
  let j = local / SIDE;
  let steps = walkSteps();
  let row = 4u * params.outputQuads;
  let w0 = tile.group * steps * row + 4u * tile.quad;
  var t0: mat4x4f; var t1: mat4x4f; var t2: mat4x4f; var t3: mat4x4f;
  startPixels(tile, local);
  for (var first = 0u; first < steps; first += STAGE) {
    fillPixels(first, steps, local);
    for (var u = local; u < WEIGHT_LINES; u += INVOCATIONS) {
      ws[u] = vec4f(weights[w0 + (first + u / M) * row + u % M]);
    }
    workgroupBarrier();
    for (var step = 0u; step < STAGE; step++) {
      let X0 = stagedPixels(step, i);
      let W0 = stagedWeights(step, j);
      t0 += X0 * W0;
      if (CHANNEL_QUADS == 1u) {
        if (PIXEL_QUADS == 2u) { t1 += stagedPixels(step, i + SIDE) * W0; }
      } else {
        let W1 = stagedWeights(step, j + SIDE);
        t1 += X0 * W1;
        if (PIXEL_QUADS == 2u) {
          let X1 = stagedPixels(step, i + SIDE);
          t2 += X1 * W0;
          t3 += X1 * W1;
        }
      }
    }
    workgroupBarrier();
  }
  let own = Place(tile.pixel + 4u * i, tile.quad + j, tile.group, tile.image, tile.oz);
  storeTiles(array<mat4x4f, 4>(t0, t1, t2, t3), own, PIXEL_QUADS, CHANNEL_QUADS, SIDE, SIDE);
}
