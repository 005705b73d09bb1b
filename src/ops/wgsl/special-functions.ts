// Functions that WGSL lacks or leaves too inaccurate, for four lanes, with their double-precision twins for
// the references. Invariants: none overflows on the way to a finite result, and NaN gives NaN, which WGSL's own
// functions need not respect.

/** By the bits, since WGSL may assume that no float is NaN. */
export const isNaNFunction = {
  lepton_is_nan: /* wgsl */ `
fn lepton_is_nan(x: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}`,
};

export const expFunction = {
  ...isNaNFunction,
  lepton_exp: /* wgsl */ `
fn lepton_exp(x: vec4f) -> vec4f {
  return select(exp(x), x, lepton_is_nan(x));
}`,
};

/** Infinite at its ends, and NaN below zero. */
export const logFunction = {
  ...isNaNFunction,
  lepton_log: /* wgsl */ `
fn lepton_log(x: vec4f) -> vec4f {
  let y = select(log(x), x, (x > vec4f(3.4028234e38)) | lepton_is_nan(x));
  let ends = select(vec4f(lepton_bits(0x7fc00000u)), vec4f(lepton_bits(0xff800000u)), x == vec4f());
  return select(y, ends, x <= vec4f());
}`,
};

/** The larger, or NaN where either is. */
export const maxFunction = {
  ...isNaNFunction,
  lepton_max: /* wgsl */ `
fn lepton_max(a: vec4f, b: vec4f) -> vec4f {
  return select(select(max(a, b), b, lepton_is_nan(b)), a, lepton_is_nan(a));
}`,
};

/** The smaller, or NaN where either is. */
export const minFunction = {
  ...isNaNFunction,
  lepton_min: /* wgsl */ `
fn lepton_min(a: vec4f, b: vec4f) -> vec4f {
  return select(select(min(a, b), b, lepton_is_nan(b)), a, lepton_is_nan(a));
}`,
};

/** Absolute error below 2e-7. The polynomials are least-squares fits: erf(x)/x in x² and ln(1 - erf(x)). */
export const erfFunction = {
  ...isNaNFunction,
  lepton_erf: /* wgsl */ `
fn lepton_erf(x: vec4f) -> vec4f {
  let t = min(abs(x), vec4f(4.0));
  let s = t * t;
  let near = t * (1.1283791 + s * (-0.37612626 + s * (0.11283597 + s * (-0.026854329
    + s * (0.0051893122 + s * (-0.00080188551 + s * 0.000078824974))))));
  let far = 1.0 - exp(-0.00075462816 + t * (-1.1253767 + t * (-0.64104736 + t * (-0.10053504
    + t * (0.02058317 + t * (-0.0026282424 + t * 0.00015327828))))));
  let y = select(far, near, t < vec4f(1.0));
  return select(select(y, -y, x < vec4f()), x, lepton_is_nan(x));
}`,
};

/**
 * Up to 8 a minimax fit, odd over even, of relative error below 5e-7; from there on f32 has nothing but 1. By the bits,
 * since WGSL's `clamp` takes a software adapter long, and NaN is past all of them.
 */
export const tanhFunction = {
  lepton_tanh: /* wgsl */ `
fn lepton_tanh(x: vec4f) -> vec4f {
  let bits = bitcast<vec4u>(x);
  let far = ((bits & vec4u(0x7fffffffu)) - vec4u(0x41000001u)) < vec4u(0x3e800000u);
  let one = bitcast<vec4f>((bits & vec4u(0x80000000u)) | vec4u(0x3f800000u));
  let s = x * x;
  let p = 0.99999985 + s * (0.12925768 + s * (0.0029511329 + s * 0.0000114295));
  let q = 1.0 + s * (0.46258984 + s * (0.023816011 + s * (0.00023868401 + s * 2.4595331e-7)));
  return select(x * p / q, one, far);
}`,
};

/** Exactly 0 and 1 far out, so that 0 times infinity is NaN as it should be. */
export const sigmoidFunction = {
  ...isNaNFunction,
  lepton_sigmoid: /* wgsl */ `
fn lepton_sigmoid(x: vec4f) -> vec4f {
  let e = exp(-abs(x));
  return select(select(vec4f(1.0), e, x < vec4f()) / (1.0 + e), x, lepton_is_nan(x));
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
