// Sine and its kin for four lanes. WGSL grants its own an absolute error of 2^-11, between -π and π only, and four
// thousand units in the last place to the inverses. These keep to about 2e-7: relative for the inverses, absolute
// for sine and cosine of arguments up to 30,000, from where on an argument's own spacing counts.
// The polynomials are minimax fits: (sin(r)/r - 1)/r² on [-π/2, π/2], and likewise asin to 1/2 and atan to 1.

import { isNaNFunction } from './special-functions';

// π in pieces of few bits, so that the products with a whole number of turns are exact. Where there are too many
// turns for that, the rest says nothing, but the result must stay between -1 and 1.
const sineFunction = {
  ...isNaNFunction,
  lepton_sine: /* wgsl */ `
fn lepton_sine(x: vec4f, turns: vec4f) -> vec4f {
  let rest = (((x - turns * 3.140625) - turns * 0.0009675026) - turns * 1.5099067e-7) - turns * 5.126688e-12;
  let r = select(clamp(rest, vec4f(-1.5707964), vec4f(1.5707964)), rest, lepton_is_nan(rest));
  let s = r * r;
  let p = s * (-0.1666666 + s * (0.0083330665 + s * (-0.00019809602 + s * 2.6057805e-6)));
  return r + r * p;
}`,
};

/** `lepton_sin`: the sine of the rest beyond a whole number of half turns, with its sign. */
export const sinFunction = {
  ...sineFunction,
  lepton_sin: /* wgsl */ `
fn lepton_sin(x: vec4f) -> vec4f {
  let turns = round(x * 0.31830989);
  let y = lepton_sine(x, turns);
  return select(y, -y, fract(turns * 0.5) != vec4f());
}`,
};

/** `lepton_cos`: as sine, from half a half turn on. */
export const cosFunction = {
  ...sineFunction,
  lepton_cos: /* wgsl */ `
fn lepton_cos(x: vec4f) -> vec4f {
  let whole = round(x * 0.31830989 - 0.5);
  let y = lepton_sine(x, whole + 0.5);
  return select(-y, y, fract(whole * 0.5) != vec4f());
}`,
};

export const asinFunction = {
  // Of arguments up to 1/2.
  lepton_near_asin: /* wgsl */ `
fn lepton_near_asin(x: vec4f) -> vec4f {
  let s = x * x;
  return x + x * s * (0.16666754 + s * (0.074952416 + s * (0.0454771 + s * (0.024147602 + s * 0.042218566))));
}`,
  lepton_asin: /* wgsl */ `
fn lepton_asin(x: vec4f) -> vec4f {
  let t = abs(x);
  let far = 1.5707964 - 2.0 * lepton_near_asin(sqrt((1.0 - t) * 0.5));
  return select(lepton_near_asin(x), select(far, -far, x < vec4f()), t > vec4f(0.5));
}`,
};

export const acosFunction = {
  lepton_near_asin: asinFunction.lepton_near_asin,
  lepton_acos: /* wgsl */ `
fn lepton_acos(x: vec4f) -> vec4f {
  let t = abs(x);
  let far = 2.0 * lepton_near_asin(sqrt((1.0 - t) * 0.5));
  return select(1.5707964 - lepton_near_asin(x), select(far, 3.1415927 - far, x < vec4f()), t > vec4f(0.5));
}`,
};

export const atanFunction = {
  lepton_atan: /* wgsl */ `
fn lepton_atan(x: vec4f) -> vec4f {
  let steep = abs(x) > vec4f(1.0);
  let t = select(x, 1.0 / x, steep);
  let s = t * t;
  let y = t + t * s * (-0.33333302 + s * (0.19998638 + s * (-0.14265245 + s * (0.10957576 + s * (-0.084194586
    + s * (0.05823454 + s * (-0.031455688 + s * (0.011064433 + s * -0.0018272111))))))));
  return select(y, select(vec4f(1.5707964), vec4f(-1.5707964), x < vec4f()) - y, steep);
}`,
};
