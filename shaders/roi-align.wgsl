// RoiAlign: regions of images, each cut into bins, each bin the average or the maximum of evenly placed samples.
//   x       [batch, channels, height, width]
//   rois    [regions, 4], (x, y) of two corners, to be scaled by params.scale
//   images  [regions], the image that each region is of
//   result  [regions, channels, out_height, out_width]
// An invocation owns one element of the result. A sample is linear between the four elements around it; of the
// maximum, as of every runtime's, the candidates are the four weighted elements themselves.
// In front of this text stand `alias elem` and `alias place`, the type of coordinates.

override workgroup_size: u32 = 64u;

struct Params {
  count: u32, channels: u32, height: u32, width: u32, out_height: u32, out_width: u32, images: u32,
  samples: u32, // along each axis of a bin; 0: as many as it has elements
  scale: f32,
  shift: f32, // of coordinates, after scaling
  smallest: f32, // size of a region
  largest: u32, // 1: the maximum, 0: the average
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> rois: array<place>;
@group(0) @binding(2) var<storage, read> images: array<i32>;
@group(0) @binding(3) var<storage, read_write> result: array<elem>;
@group(0) @binding(4) var<uniform> params: Params;

fn corner(region: u32, i: u32) -> f32 {
  return f32(rois[region * 4u + i]) * params.scale - params.shift;
}

// Samples along an axis of a bin. Samples that lie outside count as zero, so their number is bounded only to end.
fn sample_count(bin: f32) -> u32 {
  return select(params.samples, u32(clamp(ceil(bin), 0.0, 1024.0)), params.samples == 0u);
}

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * workgroup_size + id.x;
  if (index >= params.count) { return; }
  let column = index % params.out_width;
  let row = (index / params.out_width) % params.out_height;
  let plane = index / params.out_width / params.out_height;
  let region = plane / params.channels;

  let left = corner(region, 0u);
  let top = corner(region, 1u);
  let bin_width = max(corner(region, 2u) - left, params.smallest) / f32(params.out_width);
  let bin_height = max(corner(region, 3u) - top, params.smallest) / f32(params.out_height);
  let across = sample_count(bin_width);
  let down = sample_count(bin_height);
  let image = u32(clamp(images[region], 0, i32(params.images) - 1));
  let start = (image * params.channels + plane % params.channels) * params.height * params.width;

  var sum = 0.0;
  var most = 0.0;
  for (var i = 0u; i < down; i++) {
    let y = top + f32(row) * bin_height + (f32(i) + 0.5) * bin_height / f32(down);
    for (var j = 0u; j < across; j++) {
      let x_at = left + f32(column) * bin_width + (f32(j) + 0.5) * bin_width / f32(across);
      let outside = y < -1.0 || y > f32(params.height) || x_at < -1.0 || x_at > f32(params.width);
      let at = clamp(vec2f(x_at, y), vec2f(), vec2f(f32(params.width - 1u), f32(params.height - 1u)));
      let low = vec2u(at);
      let high = min(low + 1u, vec2u(params.width - 1u, params.height - 1u));
      let rest = at - vec2f(low);
      let upper = start + low.y * params.width;
      let lower = start + high.y * params.width;
      let values = vec4f(f32(x[upper + low.x]), f32(x[upper + high.x]), f32(x[lower + low.x]), f32(x[lower + high.x]));
      let weights = vec4f((1.0 - rest.y) * (1.0 - rest.x), (1.0 - rest.y) * rest.x, rest.y * (1.0 - rest.x), rest.y * rest.x);
      let weighted = select(values * weights, vec4f(), vec4<bool>(outside));
      sum += dot(weighted, vec4f(1.0));
      let best = max(max(weighted.x, weighted.y), max(weighted.z, weighted.w));
      most = select(max(most, best), best, i + j == 0u);
    }
  }
  result[index] = elem(select(sum / f32(max(down * across, 1u)), most, params.largest == 1u));
}
