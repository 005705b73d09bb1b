// Fourier transform of lines that fit into workgroup memory: a workgroup owns one line, and passes over it with
// one radix after the other, between two halves of its memory (Stockham's order, so that no pass reorders).
// Behind this text stands dft-signal.wgsl.

override workgroup_size: u32 = 64u;
override numbers: u32 = 64u; // of a line
override points_size: u32 = 128u; // 2 × numbers

var<workgroup> points: array<vec2f, points_size>;

@compute @workgroup_size(workgroup_size)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let number = linear_workgroup(group, groups);
  // Workgroups past the end, where the count was folded, repeat the last line's work unseen.
  let line = min(number, params.lines - 1u);
  let outer = line / params.inner_count;
  let inner = line % params.inner_count;
  for (var t = lane; t < numbers; t += workgroup_size) { points[t] = number_at(outer, inner, t); }
  workgroupBarrier();
  var begin = 0u;
  var span = 1u;
  for (var step_number = 0u; step_number < params.passes; step_number++) {
    let radix = params.radices[step_number >> 2u][step_number & 3u];
    let wide = span * radix;
    let stride = numbers / radix;
    let last = step_number + 1u == params.passes;
    let count = select(numbers, params.bins, last);
    for (var o = lane; o < count; o += workgroup_size) {
      var at = (o / wide) * span + o % span;
      let step = (o % wide) * (numbers / wide);
      var turn = 0u;
      var sum = vec2f();
      for (var q = 0u; q < radix; q++) {
        sum += times(points[begin + at], turns[turn]);
        at += stride;
        turn += step;
        if (turn >= numbers) { turn -= numbers; }
      }
      if (last) {
        if (number == line) { write_bin(outer, inner, o, sum); }
      } else {
        points[numbers - begin + o] = sum;
      }
    }
    workgroupBarrier();
    begin = numbers - begin;
    span = wide;
  }
}
