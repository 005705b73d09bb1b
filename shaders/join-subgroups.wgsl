// What the lanes of a row found, joined within subgroups first; a row is a whole workgroup of `lanes` invocations. Nothing
// is assumed of how many invocations a subgroup has, nor of which: each of them leaves what it found at the number of one of
// its invocations, and then joins what all have left.
// In front: part, join(part, part) -> part, join_subgroup(part) -> part, nothing() -> part. Beside it: the override
// `lanes`. Needs `enable subgroups;`.

var<workgroup> partials: array<part, lanes>;

fn join_lanes(value: part, local: vec3u) -> part {
  let own = join_subgroup(value);
  if (subgroupElect()) {
    partials[local.x] = own;
  } else {
    partials[local.x] = nothing();
  }
  workgroupBarrier();
  let width = subgroupAdd(1u);
  var some = nothing();
  for (var k = subgroupExclusiveAdd(1u); k < lanes; k += width) { some = join(some, partials[k]); }
  // Whoever joins again must not write before all have read.
  workgroupBarrier();
  return join_subgroup(some);
}
