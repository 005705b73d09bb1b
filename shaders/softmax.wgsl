// Softmax of the rows of a tensor seen as [outer, length, inner]; a row runs along the middle. Follows softmax-common.wgsl.
//
// input, result: floats, row-major
// A workgroup of lanes × rows invocations owns `rows` rows. The lanes of one row take its quads (four elements)
// in turn, `chunk` quads at a time, and join what they found. Maximum and sum of exponentials come from one
// reading; a row that fits the registers of its lanes is not read again.
// In front: unit, load(base, quad, fill) -> vec4f, load_within(base, quad, end, fill) -> vec4f, store(base, quad, vec4f),
// scale_of(sum) -> f32, finish(shifted, scale) -> vec4f, linear_workgroup, join_lanes(part, local) -> part.
// A part of a row is its largest element and the sum of exponentials above that.

override lanes: u32 = 64;
override rows: u32 = 1;
override chunk: u32 = 4; // quads that a lane takes at a time: 1, 2 or 4
override held: u32 = 0; // whether a row has at most chunk * lanes quads

struct Params {
  rows: u32, // in all: outer · inner
  quads: u32, // of a row
  length: u32,
  inner: u32,
}

@group(0) @binding(0) var<storage, read> input: array<unit>;
@group(0) @binding(1) var<storage, read_write> result: array<unit>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(lanes, rows)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let row = linear_workgroup(group, groups) * rows + local.y;
  let base = base_of(row);
  // Rows past the end have no quads, but meet the barriers.
  let quads = select(0u, params.quads, row < params.rows);

  var largest = vec4f(lowest);
  var sum = vec4f();
  var bits = vec4u();
  var x0 = vec4f();
  var x1 = vec4f();
  var x2 = vec4f();
  var x3 = vec4f();
  for (var q = local.x; q < quads; q += chunk * lanes) {
    x0 = load(base, q, minus_infinity());
    var most = x0;
    if (chunk > 1u) {
      x1 = load_within(base, q + lanes, quads, minus_infinity());
      most = larger(most, x1);
    }
    if (chunk > 2u) {
      x2 = load_within(base, q + 2u * lanes, quads, minus_infinity());
      x3 = load_within(base, q + 3u * lanes, quads, minus_infinity());
      most = larger(most, larger(x2, x3));
    }
    let next = larger(largest, most);
    var more = exp(x0 - next);
    bits = max(bits, magnitude(x0));
    if (chunk > 1u) {
      more += exp(x1 - next);
      bits = max(bits, magnitude(x1));
    }
    if (chunk > 2u) {
      more += exp(x2 - next) + exp(x3 - next);
      bits = max(bits, max(magnitude(x2), magnitude(x3)));
    }
    // Of a row that is held there is one chunk, and no sum before.
    if (held == 0u) { more += sum * exp(largest - next); }
    sum = more;
    largest = next;
  }
  let whole = join_lanes(found_in(largest, sum, bits), local);
  let scale = scale_for(whole);

  if (held != 0u) {
    store_within(base, local.x, quads, finish(x0 - whole.x, scale));
    if (chunk > 1u) { store_within(base, local.x + lanes, quads, finish(x1 - whole.x, scale)); }
    if (chunk > 2u) {
      store_within(base, local.x + 2u * lanes, quads, finish(x2 - whole.x, scale));
      store_within(base, local.x + 3u * lanes, quads, finish(x3 - whole.x, scale));
    }
  } else {
    for (var q = local.x; q < quads; q += 4u * lanes) {
      x0 = load(base, q, minus_infinity());
      x1 = load_within(base, q + lanes, quads, minus_infinity());
      x2 = load_within(base, q + 2u * lanes, quads, minus_infinity());
      x3 = load_within(base, q + 3u * lanes, quads, minus_infinity());
      store(base, q, finish(x0 - whole.x, scale));
      store_within(base, q + lanes, quads, finish(x1 - whole.x, scale));
      store_within(base, q + 2u * lanes, quads, finish(x2 - whole.x, scale));
      store_within(base, q + 3u * lanes, quads, finish(x3 - whole.x, scale));
    }
  }
}

fn store_within(base: u32, quad: u32, quads: u32, value: vec4f) {
  if (quad < quads) { store(base, quad, value); }
}
