// Product of float rows with quantised weights that are dequantised in registers. Stands behind the text of
// nbits/text.ts, which declares the operands and
//   aQuad(row, quad) -> vec4f                four elements of a row of A, 0 past k
//   weightsOf(column, chunk) -> array<vec4f, 4>   sixteen weights of a column, less their zero point
//   scaleOf(column, chunk) -> f32            the scale of those
// and behind sliced-sums.wgsl. Slice s takes every SLICES-th chunk of sixteen along k.

/** Four columns of one row: a chunk of A times the columns' weights, in four steps. */
fn products(row: u32, chunk: u32, b0: mat4x4f, b1: mat4x4f, b2: mat4x4f, b3: mat4x4f) -> vec4f {
  let quad = 4u * chunk;
  return aQuad(row, quad) * b0 + aQuad(row, quad + 1u) * b1 + aQuad(row, quad + 2u) * b2 + aQuad(row, quad + 3u) * b3;
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let number = linear_workgroup(group, count);
  if (number >= params.workgroups) { return; }
  // Neighbours read neighbouring chunks of one column.
  let slice = local % SLICES;
  let column = 4u * (number % params.columnTiles * QUADS + local / SLICES);
  let row = number / params.columnTiles * ROWS;
  // Columns past the last one repeat it; they are never stored.
  let columns = min(vec4u(column) + vec4u(0u, 1u, 2u, 3u), vec4u(params.n - 1u));

  var s0: vec4f; var s1: vec4f; var s2: vec4f; var s3: vec4f;
  for (var chunk = slice; chunk < params.chunks; chunk += SLICES) {
    let scale = vec4f(
      scaleOf(columns.x, chunk), scaleOf(columns.y, chunk), scaleOf(columns.z, chunk), scaleOf(columns.w, chunk));
    let w0 = weightsOf(columns.x, chunk);
    let w1 = weightsOf(columns.y, chunk);
    let w2 = weightsOf(columns.z, chunk);
    let w3 = weightsOf(columns.w, chunk);
    let b0 = mat4x4f(w0[0], w1[0], w2[0], w3[0]);
    let b1 = mat4x4f(w0[1], w1[1], w2[1], w3[1]);
    let b2 = mat4x4f(w0[2], w1[2], w2[2], w3[2]);
    let b3 = mat4x4f(w0[3], w1[3], w2[3], w3[3]);
    s0 += scale * products(row, chunk, b0, b1, b2, b3);
    if (ROWS == 4u) {
      s1 += scale * products(row + 1u, chunk, b0, b1, b2, b3);
      s2 += scale * products(row + 2u, chunk, b0, b1, b2, b3);
      s3 += scale * products(row + 3u, chunk, b0, b1, b2, b3);
    }
  }

  storeSums(row, column, local, s0, s1, s2, s3);
}
