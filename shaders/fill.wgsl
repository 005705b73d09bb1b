// Fills a buffer with one word.
//   result  whole buffer in quads of words; the tail behind the last element is filled too
// Every invocation owns one quad of words. `word` holds one 32-bit element, or 2 or 4 packed ones.

override workgroup_size: u32 = 64u;

struct Params { quads: u32, word: u32 }

@group(0) @binding(0) var<storage, read_write> result: array<vec4u>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let quad = id.y * count.x * workgroup_size + id.x;
  if (quad >= params.quads) { return; }
  result[quad] = vec4u(params.word);
}
