// What both kernels of the Fourier transform share: sizes, and how a line's elements are read and its bins
// written. A line runs along the transformed axis; lines are numbered by outer * inner_count + inner.
//   x       elements, params.components (1 real, 2 complex) to a number; numbers of a line lie inner_count apart.
//           With frames, line after line of one signal begins frame_step numbers further on.
//   y       likewise, params.bins numbers to a line, real where params.real is 1
//   turns   the length-th roots of unity, in order, the transform's sign in them
// In front of this text stand `alias elem`, and
//   windowed(v, t), finished(v, k)  what a window makes of number t on its way in, a factor of bin k

struct Params {
  lines: u32, inner_count: u32, frames: u32, frame_step: u32,
  size: u32, // numbers of a signal along the axis
  taken: u32, // the first of them that count, mirrored ones included; others are zero
  mirror: u32, // 0, or the size of the spectrum of which x has the first half
  components: u32, length: u32, bins: u32, real: u32,
  scale: f32,
  // Of the pass at hand: its radix, and the length of the transforms that the passes before it made.
  radix: u32, span: u32, first: u32, last: u32,
  // Of all passes.
  passes: u32, radices: array<vec4u, 4>,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read_write> y: array<elem>;
@group(0) @binding(2) var<storage, read> turns: array<vec2f>;
@group(0) @binding(3) var<uniform> params: Params;

fn times(a: vec2f, b: vec2f) -> vec2f {
  return vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
}

fn number_at(outer: u32, inner: u32, t: u32) -> vec2f {
  let mirrored = params.mirror > 0u && 2u * t > params.mirror;
  let place = select(t, params.mirror - t, mirrored);
  if (t >= params.taken || place >= params.size) { return vec2f(); }
  let start = (outer / params.frames) * params.size + (outer % params.frames) * params.frame_step;
  let at = (start + place) * params.inner_count + inner;
  var v = vec2f();
  if (params.components == 1u) {
    v.x = f32(x[at]);
  } else {
    v = vec2f(f32(x[2u * at]), f32(x[2u * at + 1u]));
  }
  if (mirrored) { v.y = -v.y; }
  return windowed(v, t);
}

fn write_bin(outer: u32, inner: u32, k: u32, v: vec2f) {
  let at = (outer * params.bins + k) * params.inner_count + inner;
  let bin = finished(v * params.scale, k);
  if (params.real == 1u) {
    y[at] = elem(bin.x);
  } else {
    y[2u * at] = elem(bin.x);
    y[2u * at + 1u] = elem(bin.y);
  }
}
