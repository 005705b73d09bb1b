// Scatters updates into a result that already holds the data.
//   indices   ScatterND: rows of `depth` coordinates; ScatterElements: one coordinate an update
//   updates   elements, as dense as the indices say
//   result    elements; only the named ones change
// In front of this text stand `alias elem` and `fn combine(old: elem, update: elem) -> elem`.
// An invocation owns `chunk` consecutive rows of updates and one column, and applies them in order. Rows that
// may name the same element must belong to one invocation: then the order, and so the result, is fixed.

override workgroup_size: u32 = 64u;

struct Params {
  invocations: u32,
  // Update rows, how many of them an invocation applies, and how many chunks that makes.
  rows: u32,
  chunk: u32,
  chunks: u32,
  // Elements between the updates of neighbouring rows.
  update_step: u32,
  // Coordinates in a row of indices, and elements between the coordinates of neighbouring rows.
  depth: u32,
  index_step: u32,
  // 1 where every update has its own index, 0 where all columns share those of their row.
  index_per_column: u32,
  // The axes that coordinates walk: sizes, and strides in the result.
  sizes: array<vec4u, 2>,
  steps: array<vec4u, 2>,
  // The columns: sizes, and strides in the updates and the result.
  column_rank: u32,
  column_dims: array<vec4u, 2>,
  column_update_strides: array<vec4u, 2>,
  column_result_strides: array<vec4u, 2>,
}

@group(0) @binding(0) var<storage, read> indices: array<i32>;
@group(0) @binding(1) var<storage, read> updates: array<elem>;
@group(0) @binding(2) var<storage, read_write> result: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(workgroup_size)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) count: vec3u) {
  let invocation = id.y * count.x * workgroup_size + id.x;
  if (invocation >= params.invocations) { return; }
  let first = (invocation % params.chunks) * params.chunk;
  let last = min(first + params.chunk, params.rows);
  var rest = invocation / params.chunks;
  var update_base = 0u;
  var result_base = 0u;
  for (var k = params.column_rank; k > 0u; k--) {
    let d = k - 1u;
    let size = params.column_dims[d >> 2u][d & 3u];
    let at = rest % size;
    rest /= size;
    update_base += at * params.column_update_strides[d >> 2u][d & 3u];
    result_base += at * params.column_result_strides[d >> 2u][d & 3u];
  }
  let index_base = update_base * params.index_per_column;
  for (var row = first; row < last; row++) {
    var at = result_base;
    for (var d = 0u; d < params.depth; d++) {
      let picked = indices[index_base + row * params.index_step + d];
      let size = i32(params.sizes[d >> 2u][d & 3u]);
      let along = clamp(select(picked, picked + size, picked < 0), 0, size - 1);
      at += u32(along) * params.steps[d >> 2u][d & 3u];
    }
    result[at] = combine(result[at], updates[update_base + row * params.update_step]);
  }
}
