// Rounding to a float type narrower than f32 as WGSL, to the nearest and ties to even. All of it is done on
// bits, since shaders may take arithmetic to have no NaN, no infinity and no numbers below 2^-126.

import type { SmallFloat } from '../../base/dtype';
import { type FloatFormat, floatFormats, type SmallFloatRounding } from '../../base/small-floats';

export interface Rounding {
  /** Name of the function, vec4f → vec4f. */
  readonly name: string;
  readonly functions: Readonly<Record<string, string>>;
}

/** @param rounding `saturate` concerns all but bfloat16, `roundMode` float8e8m0 only */
export function roundFloat(dtype: SmallFloat | 'bfloat16', rounding: SmallFloatRounding): Rounding {
  const variant = dtype === 'float8e8m0' ? `_${rounding.roundMode}` : '';
  const name = `lepton_round_${dtype}${variant}${rounding.saturate ? '' : '_beyond'}`;
  const body =
    dtype === 'bfloat16'
      ? bfloat16Body
      : dtype === 'float8e8m0'
        ? exponentBody(rounding)
        : formatBody(floatFormats[dtype], rounding.saturate);
  return { name, functions: { [name]: `fn ${name}(x: vec4f) -> vec4f {\n${body}}` } };
}

const bfloat16Body = `  let word = bitcast<vec4u>(x);
  let rounded = word + vec4u(0x7fffu) + ((word >> vec4u(16u)) & vec4u(1u));
  let nan = (word & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  return bitcast<vec4f>(select(rounded, word | vec4u(0x400000u), nan) & vec4u(0xffff0000u));
`;

/** In multiples of the step between neighbours, a power of two: dividing by it and multiplying are exact. */
function formatBody({ fractionBits, least, max, infinity, nan, negativeZero }: FloatFormat, saturate: boolean): string {
  const hex = (word: number) => `vec4u(0x${(word >>> 0).toString(16)}u)`;
  const biased = (exponent: number) => (exponent + 127) << 23;
  const largest = bitsOf(max);
  const nanWord = 0x7fc00000;
  const beyond = saturate || !nan ? largest : infinity ? 0x7f800000 : nanWord;
  const signed = '(word & vec4u(0x80000000u))';
  return `  let word = bitcast<vec4u>(x);
  let magnitude = word & vec4u(0x7fffffffu);
  let step = max(magnitude & vec4u(0x7f800000u), ${hex(biased(least))}) - ${hex(fractionBits << 23)};
  let inverse = bitcast<vec4f>(${hex(254 << 23)} - step);
  let steps = round(bitcast<vec4f>(magnitude) * inverse);
  let rounded = bitcast<vec4u>(steps * bitcast<vec4f>(step));
  let kept = select(rounded, ${hex(beyond)}, (rounded > ${hex(largest)}) | (magnitude == vec4u(0x7f800000u)));
  let result = ${negativeZero ? `kept | ${signed}` : `select(kept | ${signed}, vec4u(), kept == vec4u())`};
  return bitcast<vec4f>(select(result, ${hex(nan ? nanWord : 0x80000000)}, magnitude > vec4u(0x7f800000u)));
`;
}

function exponentBody({ saturate, roundMode }: SmallFloatRounding): string {
  const up = {
    up: '(fraction > vec4u())',
    down: 'vec4<bool>()',
    nearest: '(fraction >= vec4u(0x400000u))',
  }[roundMode];
  const limit = saturate ? ' & (exponent < vec4u(254u))' : '';
  // 2^-127 is kept below f32's normal numbers.
  return `  let word = bitcast<vec4u>(x);
  let exponent = (word >> vec4u(23u)) & vec4u(255u);
  let fraction = word & vec4u(0x7fffffu);
  let least = (exponent == vec4u()) & (fraction == vec4u(0x400000u));
  let code = exponent + select(vec4u(), vec4u(1u), ${up} & !least${limit});
  let power = select(code << vec4u(23u), vec4u(0x400000u), code == vec4u());
  return bitcast<vec4f>(select(power, vec4u(0x7fc00000u), code >= vec4u(255u)));
`;
}

function bitsOf(x: number): number {
  return new Uint32Array(Float32Array.of(x).buffer)[0] as number;
}
