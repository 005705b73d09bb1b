// Starts a generator of random numbers, or moves it on to the next run.
//   state  two words: the seed, and how many runs there were before
// One invocation owns it.

struct Params { seed: u32, start: u32 }

@group(0) @binding(0) var<storage, read_write> state: array<u32>;
@group(0) @binding(1) var<uniform> params: Params;

@compute @workgroup_size(1)
fn main() {
  if (params.start == 1u) {
    state[0] = params.seed;
    state[1] = 0u;
  } else {
    state[1] += 1u;
  }
}
