// Which inputs count for the largest of a window: the first of those that are equal to it. Behind pool-gradient.wgsl.
//
// x, pooled  what was pooled, and the largest of each window

@group(0) @binding(1) var<storage, read> x: array<elem>;
@group(0) @binding(4) var<storage, read> pooled: array<elem>;

var<private> own: vec4f;

fn startLanes(at: vec4u) { own = vec4f(vec4<elem>(x[at.x], x[at.y], x[at.z], x[at.w])); }

fn counts(o: Windows, wanted: vec4<bool>) -> vec4<bool> {
  let largest = vec4f(vec4<elem>(pooled[o.at.x], pooled[o.at.y], pooled[o.at.z], pooled[o.at.w]));
  var kept = wanted & (own == largest);
  for (var lane = 0u; lane < 4u; lane++) {
    if (kept[lane]) { kept[lane] = isFirst(o, o.x[lane], own[lane]); }
  }
  return kept;
}

/** Whether no tap before the window's own has the value. */
fn isFirst(o: Windows, ox: i32, value: f32) -> bool {
  let tapsBefore = (o.tap.z * params.kernelY + o.tap.y) * params.kernelX + o.tap.x;
  for (var tap = 0; tap < tapsBefore; tap++) {
    let line = tap / params.kernelX;
    let slice = line / params.kernelY;
    let column = ox * params.strideX + (tap - line * params.kernelX) * params.dilationX - params.padX;
    let row = o.y * params.strideY + (line - slice * params.kernelY) * params.dilationY - params.padY;
    let depth = o.z * params.strideZ + slice * params.dilationZ - params.padZ;
    let inside = column >= 0 && column < params.inWidth && row >= 0 && row < params.inHeight && depth >= 0 && depth < params.inDepth;
    let at = ((o.plane * params.inDepth + depth) * params.inHeight + row) * params.inWidth + column;
    if (inside && f32(x[at]) == value) { return false; }
  }
  return true;
}
