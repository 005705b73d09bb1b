// The second of two steps of a softmax whose rows are few and long: joins what was found in the parts of a row, and
// computes one part of the result by it. Follows softmax-common.wgsl.
//
// input, result: floats, row-major, seen as [outer, length, inner]; a row runs along the middle
// found: of each row its parts, one after the other
// A workgroup owns a part of a row; its invocations take the quads (four elements) in turn.
// In front: unit, load(base, quad, fill) -> vec4f, store(base, quad, vec4f), finish(shifted, scale) -> vec4f,
// linear_workgroup.

override lanes: u32 = 64;

struct Params {
  rows: u32, // in all: outer · inner
  quads: u32, // of a row
  length: u32,
  inner: u32,
  parts: u32, // of a row, none of them empty
  part_quads: u32,
}

@group(0) @binding(0) var<storage, read> input: array<unit>;
@group(0) @binding(1) var<storage, read_write> result: array<unit>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> found: array<vec2f>;

@compute @workgroup_size(lanes)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_workgroup(group, groups);
  if (index >= params.rows * params.parts) { return; }
  let row = index / params.parts;
  let base = base_of(row);
  let first = row * params.parts;
  var top = lowest;
  for (var k = 0u; k < params.parts; k++) {
    let other = found[first + k].x;
    top = select(top, other, other > top);
  }
  var total = 0.0;
  for (var k = 0u; k < params.parts; k++) {
    let part = found[first + k];
    total += part.y * exp(part.x - top);
  }
  let scale = scale_for(vec2f(top, total));
  let begin = index % params.parts * params.part_quads;
  let end = min(begin + params.part_quads, params.quads);
  for (var q = begin + lane; q < end; q += lanes) { store(base, q, finish(load(base, q, 0.0) - top, scale)); }
}
