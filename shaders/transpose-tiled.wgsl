// A batch of 2-D transpositions through workgroup memory, so that both the reads and the writes of
// neighbouring invocations are neighbours in memory.
//   source  elements; along axis A neighbours are adjacent, along axis B they lie b_stride apart
//   result  dense; along axis B neighbours are adjacent, along axis A they lie a_stride apart
// `alias elem` stands in front of this text. A workgroup owns one tile × tile square of one matrix of the
// batch; its tile × lines invocations walk the square `lines` rows at a time. Strides are in elements.

override tile: u32 = 16u;
override lines: u32 = 16u;
// tile × (tile + 1): the odd row length keeps columns out of one memory bank.
override block_length: u32 = 272u;

struct Params {
  a_size: u32,
  b_size: u32,
  a_stride: u32,
  b_stride: u32,
  a_tiles: u32,
  b_tiles: u32,
  workgroups: u32,
  batch_rank: u32,
  batch_dims: array<vec4u, 2>,
  source_strides: array<vec4u, 2>,
  result_strides: array<vec4u, 2>,
}

@group(0) @binding(0) var<storage, read> source: array<elem>;
@group(0) @binding(1) var<storage, read_write> result: array<elem>;
@group(0) @binding(2) var<uniform> params: Params;

var<workgroup> block: array<elem, block_length>;

@compute @workgroup_size(tile, lines)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) local: vec3u,
) {
  let linear = linear_workgroup(group, groups);
  let a0 = (linear % params.a_tiles) * tile;
  let b0 = (linear / params.a_tiles % params.b_tiles) * tile;
  var rest = linear / (params.a_tiles * params.b_tiles);
  var from_base = 0u;
  var to_base = 0u;
  for (var k = params.batch_rank; k > 0u; k--) {
    let d = k - 1u;
    let size = params.batch_dims[d >> 2u][d & 3u];
    let at = rest % size;
    rest /= size;
    from_base += at * params.source_strides[d >> 2u][d & 3u];
    to_base += at * params.result_strides[d >> 2u][d & 3u];
  }
  // The whole workgroup may lie past the end, where the count was folded into two dimensions.
  let inside = linear < params.workgroups;

  for (var row = local.y; row < tile; row += lines) {
    let a = a0 + local.x;
    let b = b0 + row;
    if (inside && a < params.a_size && b < params.b_size) {
      block[row * (tile + 1u) + local.x] = source[from_base + b * params.b_stride + a];
    }
  }
  workgroupBarrier();
  for (var row = local.y; row < tile; row += lines) {
    let a = a0 + row;
    let b = b0 + local.x;
    if (inside && a < params.a_size && b < params.b_size) {
      result[to_base + a * params.a_stride + b] = block[local.x * (tile + 1u) + row];
    }
  }
}
