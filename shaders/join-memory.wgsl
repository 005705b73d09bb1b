// What the lanes of a row found, joined through workgroup memory; a row is `lanes` invocations of a workgroup of
// lanes × rows. In two steps: `radix` neighbours at a time, then what they gave. Few barriers matter more than few steps.
// In front: part, join(part, part) -> part. Beside it: the override `lanes`.

override radix: u32 = 8; // divides lanes; best its square root
// Workgroup memory: lanes * rows, and that over radix.
override slots: u32 = 64;
override joined_slots: u32 = 8;

var<workgroup> partials: array<part, slots>;
var<workgroup> joined: array<part, joined_slots>;

fn join_lanes(value: part, local: vec3u) -> part {
  let first = local.y * lanes;
  let steps = lanes / radix;
  partials[first + local.x] = value;
  workgroupBarrier();
  if (local.x < steps) {
    let start = first + local.x * radix;
    var some = partials[start];
    for (var k = 1u; k < radix; k++) { some = join(some, partials[start + k]); }
    joined[local.y * steps + local.x] = some;
  }
  workgroupBarrier();
  let joined_first = local.y * steps;
  var whole = joined[joined_first];
  for (var k = 1u; k < steps; k++) { whole = join(whole, joined[joined_first + k]); }
  return whole;
}
