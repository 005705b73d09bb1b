// Picks the weights that a text has statements for, once at load.
//
// w       all weights
// places  [count] where each lies
// picked  [count], and zeros up to a multiple of sixteen

struct Params { count: u32, padded: u32 }

@group(0) @binding(0) var<storage, read> w: array<elem>;
@group(0) @binding(1) var<storage, read> places: array<u32>;
@group(0) @binding(2) var<storage, read_write> picked: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.padded) { return; }
  picked[id.x] = select(elem(), w[places[min(id.x, params.count - 1u)]], id.x < params.count);
}
