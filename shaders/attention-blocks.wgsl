// Blocks of four lines of queries, keys or values in registers, a column for each line. Follows
// attention-common.wgsl. `qQuad(at, c)`, `kQuad`, `vQuad` (in front) read quad c of the line that starts at element
// `at`; lanes past the line's end are zero.

fn qStarts(plane: Plane, row: u32) -> vec4u {
  return vec4u(
    startOf(plane, row, params.qSteps), startOf(plane, row + 1u, params.qSteps),
    startOf(plane, row + 2u, params.qSteps), startOf(plane, row + 3u, params.qSteps));
}

fn fourKeys(key: u32) -> vec4u {
  return min(key + vec4u(0u, 1u, 2u, 3u), vec4u(params.keys - 1u));
}

fn qBlock(starts: vec4u, c: u32) -> mat4x4f {
  return mat4x4f(qQuad(starts.x, c), qQuad(starts.y, c), qQuad(starts.z, c), qQuad(starts.w, c));
}

fn kBlock(plane: Plane, key: u32, c: u32) -> mat4x4f {
  let at = plane.k + fourKeys(key) * params.kSteps.z;
  return mat4x4f(kQuad(at.x, c), kQuad(at.y, c), kQuad(at.z, c), kQuad(at.w, c));
}

fn vBlock(plane: Plane, key: u32, c: u32) -> mat4x4f {
  let at = plane.v + fourKeys(key) * params.vSteps.z;
  return mat4x4f(vQuad(at.x, c), vQuad(at.y, c), vQuad(at.z, c), vQuad(at.w, c));
}
