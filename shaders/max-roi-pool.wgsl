// MaxRoiPool: the largest elements of the bins of regions of images.
//   x       [batch, channels, height, width]
//   rois    [regions, 5]: the image, then (x, y) of the first and of the last element, to be scaled
//   result  [regions, channels, out_height, out_width]
// An invocation owns one element of the result. Bins are whole elements, bounded in exact arithmetic; a bin that
// lies outside the image is 0.
// In front of this text stand `alias elem` and `alias place`, the type of coordinates.

override workgroup_size: u32 = 64u;

struct Params {
  count: u32, channels: u32, height: i32, width: i32, out_height: i32, out_width: i32, images: i32, scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> rois: array<place>;
@group(0) @binding(2) var<storage, read_write> result: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

fn corner(region: u32, i: u32) -> i32 {
  let at = clamp(f32(rois[region * 5u + i]) * params.scale, -1e6, 1e6);
  // Halves away from zero.
  return i32(sign(at) * floor(abs(at) + 0.5));
}

// First element of bin `k` of `bins` over [first, last], and the one behind its last, within the image.
fn bounds(first: i32, last: i32, k: i32, bins: i32, size: i32) -> vec2i {
  let extent = max(last - first + 1, 1);
  let begin = first + k * extent / bins;
  let end = first + ((k + 1) * extent + bins - 1) / bins;
  return clamp(vec2i(begin, end), vec2i(0), vec2i(size));
}

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.y * groups.x * workgroup_size + id.x;
  if (index >= params.count) { return; }
  let column = i32(index) % params.out_width;
  let row = (i32(index) / params.out_width) % params.out_height;
  let plane = index / u32(params.out_width) / u32(params.out_height);
  let region = plane / params.channels;
  let columns = bounds(corner(region, 1u), corner(region, 3u), column, params.out_width, params.width);
  let rows = bounds(corner(region, 2u), corner(region, 4u), row, params.out_height, params.height);
  let image = clamp(i32(rois[region * 5u]), 0, params.images - 1);
  let start = (image * i32(params.channels) + i32(plane % params.channels)) * params.height * params.width;
  var most = 0.0;
  for (var v = rows.x; v < rows.y; v++) {
    for (var u = columns.x; u < columns.y; u++) {
      let value = f32(x[start + v * params.width + u]);
      most = select(max(most, value), value, v == rows.x && u == columns.x);
    }
  }
  result[index] = elem(most);
}
