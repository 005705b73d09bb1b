// The inputs of a deformable convolution, sampled where its offsets say and laid out for a pointwise one.
//   x        [batch, channels, depth, height, width]
//   offsets  [batch, groups, taps, axes, pixels], in elements, the outermost axis first
//   columns  [batch, channels, taps, pixels]
// An invocation owns one pixel of one tap for params.share channels of one offset group: they share the place,
// and the weights of the corners around it. Between elements the sample is linear; what lies outside is zero.
// In front of this text stand `alias elem` and `mask_at(index) -> f32` over [batch, groups, taps, pixels].

override workgroup_size: u32 = 64u;

struct Params {
  inWidth: u32, inHeight: u32, inDepth: u32, padX: i32, padY: i32, padZ: i32,
  outWidth: u32, outHeight: u32, outDepth: u32,
  kernelX: u32, kernelY: u32, kernelZ: u32,
  strideX: u32, strideY: u32, strideZ: u32,
  dilationX: u32, dilationY: u32, dilationZ: u32,
  axes: u32, items: u32, pixels: u32, taps: u32,
  shares: u32, // of an offset group
  groups: u32,
  channels: u32, // of an offset group
  share: u32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> offsets: array<elem>;
@group(0) @binding(2) var<storage, read_write> columns: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

var<private> corner_at: array<u32, 8>;
var<private> corner_weight: array<f32, 8>;

// Position along one axis of a corner on the near (0) or far (1) side of a place, and the corner's weight there.
struct Side { at: u32, weight: f32 }
fn side(place: f32, far: u32, size: u32) -> Side {
  let low = floor(place);
  let at = low + f32(far);
  let weight = select(1.0 - (place - low), place - low, far == 1u);
  let inside = at >= 0.0 && at < f32(size);
  return Side(u32(clamp(at, 0.0, f32(size - 1u))), select(0.0, weight, inside));
}

fn offset(row: u32, axis: u32, pixel: u32) -> f32 {
  // Axes count from the innermost here; where there are fewer than three, the others are not displaced.
  if (axis >= params.axes) { return 0.0; }
  return f32(offsets[(row * params.axes + params.axes - 1u - axis) * params.pixels + pixel]);
}

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let item = id.y * count.x * workgroup_size + id.x;
  if (item >= params.items) { return; }
  let pixel = item % params.pixels;
  let tap = (item / params.pixels) % params.taps;
  let part = item / params.pixels / params.taps;
  let group = part / params.shares; // counted over the batch
  let row = group * params.taps + tap;

  let out_y = pixel / params.outWidth;
  let tap_y = tap / params.kernelX;
  let spot = vec3u(pixel % params.outWidth, out_y % params.outHeight, out_y / params.outHeight);
  let step = vec3u(tap % params.kernelX, tap_y % params.kernelY, tap_y / params.kernelY);
  let regular = vec3i(spot * vec3u(params.strideX, params.strideY, params.strideZ) +
    step * vec3u(params.dilationX, params.dilationY, params.dilationZ)) - vec3i(params.padX, params.padY, params.padZ);
  let place = vec3f(regular) + vec3f(offset(row, 0u, pixel), offset(row, 1u, pixel), offset(row, 2u, pixel));

  let corners = 1u << params.axes;
  let mask = mask_at(row * params.pixels + pixel);
  for (var k = 0u; k < corners; k++) {
    let sx = side(place.x, k & 1u, params.inWidth);
    let sy = side(place.y, (k >> 1u) & 1u, params.inHeight);
    let sz = side(place.z, k >> 2u, params.inDepth);
    corner_at[k] = (sz.at * params.inHeight + sy.at) * params.inWidth + sx.at;
    corner_weight[k] = sx.weight * sy.weight * sz.weight * mask;
  }

  let plane = params.inDepth * params.inHeight * params.inWidth;
  let first = (part % params.shares) * params.share;
  for (var c = first; c < min(first + params.share, params.channels); c++) {
    let channel = group * params.channels + c;
    var sum = 0.0;
    for (var k = 0u; k < corners; k++) { sum += corner_weight[k] * f32(x[channel * plane + corner_at[k]]); }
    columns[(channel * params.taps + tap) * params.pixels + pixel] = elem(sum);
  }
}
