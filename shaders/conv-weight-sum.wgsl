// Second pass of lepton.ConvWeightGradient: adds up the parts of each sum, in their order.
//
// parts   [splits, size]
// result  [size]
// Every invocation owns one element.

struct Params { splits: u32, size: u32 }

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let id = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (id >= params.size) { return; }
  var sum = parts[id];
  for (var split = 1u; split < params.splits; split++) { sum += parts[split * params.size + id]; }
  result[id] = elem(sum);
}
