// Pooling over 1 to 3 axes: the largest element, the average, or the p-norm of each window.
//
// x  [batch * channels, inDepth, inHeight, inWidth], read one by one through `element(i) -> value`
// y  [batch * channels, outDepth, outHeight, outWidth], written in quads by `storeQuad(quad, v)`, and where
//    asked for the positions of the largest elements by `storeIndices(quad, v)`; all three are in front
// Every invocation owns one quad of the flat output; its lanes may lie in different rows and channels.

struct Params {
  inWidth: i32, inHeight: i32, inDepth: i32, padX: i32, padY: i32, padZ: i32,
  endX: i32, endY: i32, endZ: i32, // input size and padding behind it
  outWidth: u32, outHeight: u32, outDepth: u32,
  kernelX: i32, kernelY: i32, kernelZ: i32,
  strideX: i32, strideY: i32, strideZ: i32,
  dilationX: i32, dilationY: i32, dilationZ: i32,
  quads: u32, columnMajor: u32, countPadding: u32, lowest: f32, p: f32,
}

@group(0) @binding(0) var<storage, read> x: array<word>;
@group(0) @binding(2) var<uniform> params: Params;

override WORKGROUP: u32 = 64u;
override MODE: u32 = 0u; // 0 largest, 1 average, 2 p-norm

// The inputs that one tap meets along one axis: clamped to the axis, whether they exist, whether they
// exist or are padding.
struct Meeting { at: vec4i, exists: vec4<bool>, counts: vec4<bool> }

fn meet(at: vec4i, size: i32, end: i32) -> Meeting {
  let clamped = clamp(at, vec4i(0), vec4i(size - 1));
  return Meeting(clamped, clamped == at, at < vec4i(end));
}

fn load4(at: vec4u) -> vec4<value> {
  return vec4<value>(element(at.x), element(at.y), element(at.z), element(at.w));
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(workgroup_id) workgroup: vec3u, @builtin(num_workgroups) count: vec3u, @builtin(local_invocation_index) local: u32) {
  let quad = linear_workgroup(workgroup, count) * WORKGROUP + local;
  if (quad >= params.quads) { return; }
  var rest = 4u * quad + vec4u(0u, 1u, 2u, 3u);
  let ox = vec4i(rest % params.outWidth);
  rest /= params.outWidth;
  let oy = vec4i(rest % params.outHeight);
  rest /= params.outHeight;
  let oz = vec4i(rest % params.outDepth);
  let plane = rest / params.outDepth * u32(params.inDepth * params.inHeight * params.inWidth);

  var best = vec4<value>(value(params.lowest));
  var bestAt = vec4i(-1);
  var sum = vec4f();
  var taps = vec4f();
  for (var kz = 0; kz < params.kernelZ; kz++) {
    let z = meet(oz * params.strideZ + (kz * params.dilationZ - params.padZ), params.inDepth, params.endZ);
    for (var ky = 0; ky < params.kernelY; ky++) {
      let y = meet(oy * params.strideY + (ky * params.dilationY - params.padY), params.inHeight, params.endY);
      for (var kx = 0; kx < params.kernelX; kx++) {
        let x = meet(ox * params.strideX + (kx * params.dilationX - params.padX), params.inWidth, params.endX);
        let at = (z.at * params.inHeight + y.at) * params.inWidth + x.at;
        let exists = z.exists & y.exists & x.exists;
        let v = load4(plane + vec4u(at));
        if (MODE == 0u) {
          let better = exists & ((v > best) | (bestAt < vec4i(0)));
          best = select(best, v, better);
          let columnAt = (x.at * params.inHeight + y.at) * params.inDepth + z.at;
          bestAt = select(bestAt, select(at, columnAt, vec4<bool>(params.columnMajor == 1u)), better);
        } else if (MODE == 1u) {
          sum += select(vec4f(), vec4f(v), exists);
          let padding = vec4<bool>(params.countPadding == 1u) & z.counts & y.counts & x.counts;
          taps += select(vec4f(), vec4f(1.0), exists | padding);
        } else {
          // Not pow for squares: they must be exact, and pow(0, p) need not be 0.
          let size = abs(select(vec4f(), vec4f(v), exists));
          let power = select(select(pow(size, vec4f(params.p)), size, vec4<bool>(params.p == 1.0)), size * size, vec4<bool>(params.p == 2.0));
          sum += select(vec4f(), power, size > vec4f());
        }
      }
    }
  }
  if (MODE == 1u) {
    best = vec4<value>(sum / max(taps, vec4f(1.0)));
  } else if (MODE == 2u) {
    let root = select(select(pow(sum, vec4f(1.0 / params.p)), sum, vec4<bool>(params.p == 1.0)), sqrt(sum), vec4<bool>(params.p == 2.0));
    best = vec4<value>(select(vec4f(), root, sum > vec4f()));
  }
  storeQuad(quad, best);
  storeIndices(quad, plane + vec4u(max(bestAt, vec4i(0))));
}
