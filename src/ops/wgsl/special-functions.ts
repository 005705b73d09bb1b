// Functions that WGSL lacks or leaves too inaccurate, for four lanes, with their double-precision twins for
// the references. Invariant: none overflows on the way to a finite result.

/** Absolute error below 2e-7. The polynomials are least-squares fits: erf(x)/x in x² and ln(1 - erf(x)). */
export const erfFunction = {
  lepton_erf: /* wgsl */ `
fn lepton_erf(x: vec4f) -> vec4f {
  let t = min(abs(x), vec4f(4.0));
  let s = t * t;
  let near = t * (1.1283791 + s * (-0.37612626 + s * (0.11283597 + s * (-0.026854329
    + s * (0.0051893122 + s * (-0.00080188551 + s * 0.000078824974))))));
  let far = 1.0 - exp(-0.00075462816 + t * (-1.1253767 + t * (-0.64104736 + t * (-0.10053504
    + t * (0.02058317 + t * (-0.0026282424 + t * 0.00015327828))))));
  return sign(x) * select(far, near, t < vec4f(1.0));
}`,
};

/** Near zero a series, elsewhere through exp of a negative number: accurate to a few units in the last place. */
export const tanhFunction = {
  lepton_tanh: /* wgsl */ `
fn lepton_tanh(x: vec4f) -> vec4f {
  let t = min(abs(x), vec4f(20.0));
  let s = x * x;
  let e = exp(-2.0 * t);
  let near = x * (1.0 + s * (-0.33333334 + s * (0.13333334 + s * -0.053968254)));
  return select(sign(x) * (1.0 - e) / (1.0 + e), near, t < vec4f(0.2));
}`,
};

export const sigmoidFunction = {
  lepton_sigmoid: /* wgsl */ `
fn lepton_sigmoid(x: vec4f) -> vec4f {
  return 1.0 / (1.0 + exp(-max(x, vec4f(-87.0))));
}`,
};

/** erf in double precision: its Maclaurin series near zero, the continued fraction of erfc beyond. */
export function erf(x: number): number {
  const t = Math.abs(x);
  if (t > 6) return Math.sign(x);
  if (t < 2.5) {
    let term = x;
    let sum = x;
    for (let k = 1; Math.abs(term) > 1e-17; k++) {
      term *= (-x * x) / k;
      sum += term / (2 * k + 1);
    }
    return (2 / Math.sqrt(Math.PI)) * sum;
  }
  let fraction = t;
  for (let k = 60; k > 0; k--) fraction = t + k / 2 / fraction;
  return Math.sign(x) * (1 - Math.exp(-t * t) / Math.sqrt(Math.PI) / fraction);
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
