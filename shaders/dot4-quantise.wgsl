// Quantises float rows to int8, each chunk of sixteen with a scale of its own: the largest number becomes ±127. Stands
// behind the text of nbits/text.ts, which declares `aQuad(row, quad) -> vec4f` (0 past k), and of nbits/dot4.ts:
//   Row                               words, scale, and the sum of what the words stand for
//   arranged(i0, i1, i2, i3) -> vec4u   sixteen numbers as bytes, in the order in which weights come out of their words
// Every invocation owns one chunk.

@group(0) @binding(1) var<storage, read_write> quantised: array<Row>;

override WORKGROUP: u32 = 64u;

/** Below this there is no telling a chunk from zeros, and no dividing by it. */
const least = 1e-36f;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.m * params.chunks) { return; }
  let row = id / params.chunks;
  let quad = 4u * (id % params.chunks);
  let q0 = aQuad(row, quad);
  let q1 = aQuad(row, quad + 1u);
  let q2 = aQuad(row, quad + 2u);
  let q3 = aQuad(row, quad + 3u);
  let mosts = max(max(abs(q0), abs(q1)), max(abs(q2), abs(q3)));
  let most = max(max(mosts.x, mosts.y), max(mosts.z, mosts.w));
  let steps = select(0.0, 127.0 / max(most, least), most > least);
  let i0 = vec4i(round(q0 * steps));
  let i1 = vec4i(round(q1 * steps));
  let i2 = vec4i(round(q2 * steps));
  let i3 = vec4i(round(q3 * steps));
  let sum = dot(i0 + i1 + i2 + i3, vec4i(1));
  let scale = most / 127.0;
  quantised[id] = Row(arranged(i0, i1, i2, i3), scale, scale * f32(sum));
}
