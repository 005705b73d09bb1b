// The implicit matrix of any convolution for conv-staged.wgsl, which stands in front, with conv-window.wgsl:
// pixels are gathered tap by tap. An invocation keeps to one pixel and takes every (INVOCATIONS / N)-th step.

// A step's pixels lie in four lines, pixel n in line n % 4. Lines have one quad to spare, so that neighbours
// write to different banks.
override LINE: u32 = SIDE * PIXEL_QUADS + 1u;
override PIXEL_LINES: u32 = STAGE * 4u * LINE;

var<workgroup> xs: array<vec4f, PIXEL_LINES>; // [step][pixel, as above]: four channels
var<private> pixels: Pixels;
var<private> x0: u32;
var<private> at: Walk;

fn advance(steps: u32) {
  for (var k = 0u; k < steps; k++) { at = next(at); }
}

fn startPixels(tile: Place, local: u32) {
  let pixel = vec4i(i32(tile.pixel + local % N));
  pixels = Pixels(pixel, pixel / params.outWidth, pixel % params.outWidth, i32(tile.oz));
  x0 = (tile.image * params.groups + tile.group) * params.channels * params.inputStep;
  advance(local / N);
}

fn fillPixels(first: u32, steps: u32, local: u32) {
  let n = local % N;
  for (var step = local / N; step < STAGE; step += INVOCATIONS / N) {
    let meeting = meetPixels(pixels, at.k);
    let channels = min(at.c + vec4u(0u, 1u, 2u, 3u), vec4u(params.channels - 1u)) * params.inputStep;
    let exists = meeting.exists & vec4<bool>(first + step < steps);
    xs[(step * 4u + n % 4u) * LINE + n / 4u] = load4(x0 + channels + vec4u(meeting.at), exists);
    advance(INVOCATIONS / N);
  }
}

fn stagedPixels(step: u32, quad: u32) -> mat4x4f {
  let line = step * 4u * LINE + quad;
  return transpose(mat4x4f(xs[line], xs[line + LINE], xs[line + 2u * LINE], xs[line + 3u * LINE]));
}
