// Hyperbolic sine and its kin for four lanes, through exponentials and logarithms that neither cancel near zero
// nor overflow before the result does.

import { expFunction, logFunction } from './special-functions';

/** Near zero a series; else halves of exponentials, taken as exp(t - ln 2). */
export const sinhFunction = {
  ...expFunction,
  lepton_sinh: /* wgsl */ `
fn lepton_sinh(x: vec4f) -> vec4f {
  let t = abs(x);
  let s = x * x;
  let near = x * (1.0 + s / 6.0 * (1.0 + s / 20.0 * (1.0 + s / 42.0 * (1.0 + s / 72.0))));
  let h = lepton_exp(t - 0.6931472);
  let far = h - 0.25 / h;
  return select(select(far, -far, x < vec4f()), near, t < vec4f(1.0));
}`,
};

export const coshFunction = {
  ...expFunction,
  lepton_cosh: /* wgsl */ `
fn lepton_cosh(x: vec4f) -> vec4f {
  let h = lepton_exp(abs(x) - 0.6931472);
  return h + 0.25 / h;
}`,
};

/** ln(1 + u) = 2 artanh(u / (2 + u)): near zero as a series. */
const log1pFunction = {
  ...logFunction,
  lepton_log1p: /* wgsl */ `
fn lepton_log1p(u: vec4f) -> vec4f {
  let z = u / (2.0 + u);
  let s = z * z;
  let near = 2.0 * z * (1.0 + s * (0.33333334 + s * (0.2 + s * (0.14285715 + s * 0.11111111))));
  return select(lepton_log(1.0 + u), near, abs(u) < vec4f(0.4));
}`,
};

export const asinhFunction = {
  ...log1pFunction,
  lepton_asinh: /* wgsl */ `
fn lepton_asinh(x: vec4f) -> vec4f {
  let t = abs(x);
  // From here on 1 is lost beside t², which must not overflow.
  let s = min(t, vec4f(1e4)) * min(t, vec4f(1e4));
  let near = lepton_log1p(t + s / (1.0 + sqrt(s + 1.0)));
  let y = select(near, lepton_log(t) + 0.6931472, t > vec4f(1e4));
  return select(select(y, -y, x < vec4f()), x, lepton_is_nan(x));
}`,
};

export const acoshFunction = {
  ...log1pFunction,
  lepton_acosh: /* wgsl */ `
fn lepton_acosh(x: vec4f) -> vec4f {
  let u = min(x, vec4f(1e4)) - 1.0;
  let near = lepton_log1p(u + sqrt(u * (u + 2.0)));
  let y = select(near, lepton_log(x) + 0.6931472, x > vec4f(1e4));
  return select(vec4f(lepton_bits(0x7fc00000u)), y, x >= vec4f(1.0));
}`,
};

export const atanhFunction = {
  ...log1pFunction,
  lepton_atanh: /* wgsl */ `
fn lepton_atanh(x: vec4f) -> vec4f {
  let t = abs(x);
  let y = 0.5 * lepton_log1p(2.0 * t / (1.0 - t));
  return select(vec4f(lepton_bits(0x7fc00000u)), select(y, -y, x < vec4f()), t <= vec4f(1.0));
}`,
};
