// A picture into a model's input: resized with an area filter, normalised, laid out as planes or pixels.
//
// source: the picture, rgba8unorm. result: elem[height*width*channels], NCHW planes or NHWC pixels.
// One invocation makes all channels of one result pixel. Its footprint in the source is sampled at
// taps × taps points, each interpolated bilinearly.

struct Params {
  width: u32,       // of the result, in pixels
  height: u32,
  channels: u32,    // 1 (grey) or 3
  planes: u32,      // 1: NCHW, 0: NHWC
  swap: u32,        // 1: BGR
  tapsX: u32,
  tapsY: u32,
  pad: f32,         // pixel value 0..255 outside the picture
  left: f32,        // where the picture lies in the result, in result pixels
  top: f32,
  insideWidth: f32,
  insideHeight: f32,
  stepX: f32,       // source pixels a result pixel
  stepY: f32,
  scale: vec4f,     // element = pixel * scale + offset, by channel of the result
  offset: vec4f,
}

@group(0) @binding(0) var source: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

fn texel(x: i32, y: i32) -> vec3f {
  let size = vec2i(textureDimensions(source));
  return textureLoad(source, clamp(vec2i(x, y), vec2i(0), size - 1), 0).rgb;
}

fn bilinear(x: f32, y: f32) -> vec3f {
  let at = vec2f(x, y) - 0.5;
  let corner = vec2i(floor(at));
  let part = at - floor(at);
  let upper = mix(texel(corner.x, corner.y), texel(corner.x + 1, corner.y), part.x);
  let lower = mix(texel(corner.x, corner.y + 1), texel(corner.x + 1, corner.y + 1), part.x);
  return mix(upper, lower, part.y);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.width || id.y >= params.height) { return; }
  let at = vec2f(f32(id.x) - params.left, f32(id.y) - params.top);
  var pixel = vec3f(params.pad);
  if (at.x >= 0.0 && at.y >= 0.0 && at.x < params.insideWidth && at.y < params.insideHeight) {
    var sum = vec3f(0.0);
    for (var ty = 0u; ty < params.tapsY; ty++) {
      let y = (at.y + (f32(ty) + 0.5) / f32(params.tapsY)) * params.stepY;
      for (var tx = 0u; tx < params.tapsX; tx++) {
        sum += bilinear((at.x + (f32(tx) + 0.5) / f32(params.tapsX)) * params.stepX, y);
      }
    }
    pixel = sum * (255.0 / f32(params.tapsX * params.tapsY));
  }
  if (params.swap == 1u) { pixel = pixel.bgr; }
  // Rec. 601 luma, as picture libraries convert to grey.
  if (params.channels == 1u) { pixel = vec3f(dot(pixel, vec3f(0.299, 0.587, 0.114))); }
  let spot = id.y * params.width + id.x;
  for (var c = 0u; c < params.channels; c++) {
    let index = select(spot * params.channels + c, c * params.width * params.height + spot, params.planes == 1u);
    result[index] = elem(pixel[c] * params.scale[c] + params.offset[c]);
  }
}
