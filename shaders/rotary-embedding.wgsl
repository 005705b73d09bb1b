// Rotary position embedding: pairs of elements of a head turned by an angle that its position gives.
//
// x, result  floats, [batch, heads, length, depth], or [batch, length, heads, depth] where not HEADS_FIRST
// cosines, sines  floats, [rows, width]; positions  i32, [batch, length], the row of each, where INDEXED
// An invocation owns four elements in a row. In front: elem, elem4, linear_workgroup, `rowOf(token)`.

override LANES: u32 = 64u;
override HEADS_FIRST: bool = true;
/** Pairs are neighbours, else elements half the turned part apart. */
override INTERLEAVED: bool = false;

struct Params {
  quads: u32, heads: u32, length: u32, depth: u32,
  // Elements of a head that are turned, the first ones; elements of a row of cosines.
  turned: u32, width: u32,
}

@group(0) @binding(0) var<storage, read> x: array<elem>;
@group(0) @binding(1) var<storage, read> cosines: array<elem>;
@group(0) @binding(2) var<storage, read> sines: array<elem>;
@group(0) @binding(3) var<storage, read_write> result: array<elem4>;
@group(0) @binding(4) var<uniform> params: Params;

fn turn(index: u32) -> f32 {
  let place = index % params.depth;
  let value = f32(x[index]);
  if (place >= params.turned) { return value; }
  let line = index / params.depth;
  let batch = line / (params.heads * params.length);
  let position = select(line / params.heads, line, HEADS_FIRST) % params.length;
  let half = params.turned / 2u;
  let first = select(place < half, place % 2u == 0u, INTERLEAVED);
  let pair = select(place % half, place / 2u, INTERLEAVED);
  let apart = select(half, 1u, INTERLEAVED);
  let other = f32(x[select(index - apart, index + apart, first)]);
  let at = rowOf(batch * params.length + position) * params.width + pair;
  return value * f32(cosines[at]) + select(other, -other, first) * f32(sines[at]);
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let quad = linear_workgroup(group, count) * LANES + local;
  if (quad >= params.quads) { return; }
  var v: vec4f;
  for (var i = 0u; i < 4u; i++) { v[i] = turn(4u * quad + i); }
  result[quad] = elem4(v);
}
