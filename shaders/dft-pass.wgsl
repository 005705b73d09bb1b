// One pass of the Fourier transform of lines of any length, with one radix: an invocation owns one number of one
// line's result. Passes hand numbers on through `before` and `after`, in the order of the signal's own tensor;
// the first reads the signal, the last writes bins.
// Behind this text stands dft-signal.wgsl.

override workgroup_size: u32 = 64u;

@group(0) @binding(4) var<storage, read> before: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> after: array<vec2f>;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let item = id.y * groups.x * workgroup_size + id.x;
  let count = select(params.length, params.bins, params.last == 1u);
  if (item >= params.lines * count) { return; }
  let inner = item % params.inner_count;
  let o = (item / params.inner_count) % count;
  let outer = item / params.inner_count / count;
  let wide = params.span * params.radix;
  let stride = params.length / params.radix;
  let step = (o % wide) * (params.length / wide);
  var at = (o / wide) * params.span + o % params.span;
  var turn = 0u;
  var sum = vec2f();
  for (var q = 0u; q < params.radix; q++) {
    var v: vec2f;
    if (params.first == 1u) {
      v = number_at(outer, inner, at);
    } else {
      v = before[(outer * params.length + at) * params.inner_count + inner];
    }
    sum += times(v, turns[turn]);
    at += stride;
    turn += step;
    if (turn >= params.length) { turn -= params.length; }
  }
  if (params.last == 1u) {
    write_bin(outer, inner, o, sum);
  } else {
    after[(outer * params.length + o) * params.inner_count + inner] = sum;
  }
}
