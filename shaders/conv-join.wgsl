// Adds up the slices of a convolution whose channels were shared out among workgroups, in order.
//
// sums     [batch, slices, outputs, 4 * pixelQuads]
// weights  as conv-pack.wgsl leaves them: read for the bias, from quad biasAt on
// y        [batch, outputs, pixels], written by `store` (in front of this text)
// Every invocation owns one quad of pixels of one output.

struct Params { slices: u32, outputs: u32, pixels: u32, pixelQuads: u32, biasAt: u32, invocations: u32 }

@group(0) @binding(0) var<storage, read> sums: array<vec4f>;
@group(0) @binding(1) var<storage, read> weights: array<elem4>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.invocations) { return; }
  let line = id / params.pixelQuads; // [image][output]
  let image = line / params.outputs;
  let m = line - image * params.outputs;
  let pixel = 4u * (id - line * params.pixelQuads);
  let step = params.outputs * params.pixelQuads;
  var at = image * params.slices * step + m * params.pixelQuads + pixel / 4u;
  var sum = vec4f(f32(weights[params.biasAt + m / 4u][m % 4u]));
  for (var slice = 0u; slice < params.slices; slice++) {
    sum += sums[at];
    at += step;
  }
  store(line * params.pixels + pixel, params.pixels - pixel, m, sum);
}
