// The largest element of each window over one or two axes, without its position: quick to compile.
//
// x  [planes, inHeight, inWidth]    y  [planes, outHeight, outWidth], planes being batch · channels
// One invocation owns one output. Workgroups: pixels in x, planes in y. In front: elem.

struct Params {
  inWidth: i32, inHeight: i32,
  outWidth: u32, pixels: u32,
  extentX: i32, extentY: i32, // of the window: taps times dilation
  strideX: i32, strideY: i32,
  dilationX: i32, dilationY: i32,
  padX: i32, padY: i32,
  lowest: f32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read_write> y: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
  let pixel = id.x * WORKGROUP + local;
  if (pixel >= params.pixels) { return; }
  let oy = pixel / params.outWidth;
  let y0 = i32(oy) * params.strideY - params.padY;
  let x0 = i32(pixel - oy * params.outWidth) * params.strideX - params.padX;
  let plane = i32(id.y) * params.inHeight * params.inWidth;

  var largest = params.lowest;
  var found = false;
  // One loop over both axes: loops within loops and branches take longer to compile.
  for (var k = vec2i(); k.y < params.extentY;) {
    let at = vec2i(x0, y0) + k;
    let inside = all(at >= vec2i()) & all(at < vec2i(params.inWidth, params.inHeight));
    let value = f32(x[select(0, plane + at.y * params.inWidth + at.x, inside)]);
    // The first one counts whatever it is, a NaN as in pool.wgsl.
    let better = inside & ((value > largest) | !found);
    largest = select(largest, value, better);
    found = found | inside;
    let next = k.x + params.dilationX;
    let over = next >= params.extentX;
    k = vec2i(select(next, 0, over), k.y + select(0, params.dilationY, over));
  }
  y[id.y * params.pixels + pixel] = elem(largest);
}
