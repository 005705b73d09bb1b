// A matrix product as it is defined, however its operands lie: quick to compile, for runs that are over before a
// better variant would have been compiled. Result = A · B for each matrix of a batch, [m, k] by [k, n].
//
// One invocation owns one element. Workgroups: columns in x, rows in y, the batch in z. Steps are the elements between
// neighbours. In front: elem and epilogue(v, index, channel).

struct Params {
  m: u32, n: u32, k: u32, alpha: f32,
  aRow: u32, aK: u32, aBatch: u32,
  bColumn: u32, bK: u32, bBatch: u32,
  rectified: u32, // 1: what comes out of the epilogue is
}

@group(0) @binding(0) var<storage, read> a: array<elem>;
@group(0) @binding(1) var<storage, read> b: array<elem>;
@group(0) @binding(2) var<storage, read_write> result: array<elem>;
@group(0) @binding(3) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override UNROLLED: bool = false; // four divides k

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) local: u32) {
  let column = id.x * WORKGROUP + local;
  if (column >= params.n) { return; }
  var aAt = id.z * params.aBatch + id.y * params.aRow;
  var bAt = id.z * params.bBatch + column * params.bColumn;
  var sum = 0.0;
  if (UNROLLED) {
    for (var k = 0u; k < params.k; k += 4u) {
      sum += f32(a[aAt]) * f32(b[bAt])
        + f32(a[aAt + params.aK]) * f32(b[bAt + params.bK])
        + f32(a[aAt + 2u * params.aK]) * f32(b[bAt + 2u * params.bK])
        + f32(a[aAt + 3u * params.aK]) * f32(b[bAt + 3u * params.bK]);
      aAt += 4u * params.aK;
      bAt += 4u * params.bK;
    }
  } else {
    for (var k = 0u; k < params.k; k++) {
      sum += f32(a[aAt]) * f32(b[bAt]);
      aAt += params.aK;
      bAt += params.bK;
    }
  }
  let index = (id.z * params.m + id.y) * params.n + column;
  let v = epilogue(vec4f(params.alpha * sum), index, column).x;
  result[index] = elem(select(v, 0, params.rectified == 1u && v < 0));
}
