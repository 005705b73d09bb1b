// lepton.Quantize and lepton.Dequantize: the arithmetic of QuantizeLinear and DequantizeLinear for one element,
// with inputs that broadcast: x, scale and optional zero point, of any types.
//
// Quantize, to integers: round(x / scale) + zero, halves to even, kept in range; NaN becomes the smallest. Dequantize: (x - zero) * scale.

import { type DType, isFloat } from '../base/dtype';
import { dtypeOfNumber } from '../base/onnx-dtypes';
import { required } from '../ir/attributes';
import type { CaseInput, OpCase } from '../ir/opdef';
import { Formula } from './gradient';
import { pointwiseOp } from './pointwise-op';
import { integerRange, isQuantizedInteger, isWideFloat, quantizer } from './quantize/element';
import { literal } from './wgsl/elements';

const target = (to: number) => dtypeOfNumber(to) as DType;

const quantize = pointwiseOp({
  name: 'lepton.Quantize',
  attributes: { to: required('int') },
  arity: [2, 3],
  types: 'any',
  agreeFrom: 3,
  result: (_, { to }) => target(to),
  element: ({ to }) => {
    const round = quantizer(target(to));
    return (x, scale, zero = 0) => round(x as number, scale as number, zero);
  },
  wgsl(p, x, scale) {
    const [least, most] = integerRange(target(p.attributes.to)).map((v) => literal('float32', v)) as [string, string];
    const zero = p.args[2] ? ` + vec4f(${p.args[2]})` : '';
    return {
      expression: `${p.vec}(lepton_within(round(vec4f(${x}) / vec4f(${scale}))${zero}, ${least}, ${most}))`,
      functions: {
        lepton_within: `
fn lepton_within(v: vec4f, least: f32, most: f32) -> vec4f {
  return select(vec4f(least), min(v, vec4f(most)), v >= vec4f(least));
}`,
      },
    };
  },
  // Straight through where in range, as though nothing were rounded, and 0 outside. That of the scale, with what
  // Dequantize adds to it, is the step size's of https://arxiv.org/abs/1902.08153.
  grad({ f: { b }, gradient, inputs: [x = '', scale = '', zero = ''], attributes: { to }, n }) {
    const { dtype } = n.input(0);
    const f = new Formula(b, dtype);
    const as = (name: string) => f.like(name, dtype);
    const [least, most] = integerRange(target(to));
    const quotient = f.div(as(x), as(scale));
    const rounded = f.of('Round', quotient);
    const number = zero ? f.add(rounded, as(zero)) : rounded;
    const inside = f.of('And', f.of('GreaterOrEqual', number, least), f.of('LessOrEqual', number, most));
    const share = f.keep(inside, f.div(as(gradient), as(scale)));
    return [share, f.like(f.neg(f.mul(share, quotient)), n.input(1).dtype)];
  },
});

const dequantize = pointwiseOp({
  name: 'lepton.Dequantize',
  attributes: { to: required('int') },
  arity: [2, 3],
  types: 'any',
  agreeFrom: 3,
  result: (_, { to }) => target(to),
  element:
    () =>
    (x, scale, zero = 0) =>
      ((x as number) - zero) * (scale as number),
  wgsl(p, x, scale) {
    const zero = p.args[2] ? ` - vec4f(${p.args[2]})` : '';
    return `(vec4f(${x})${zero}) * vec4f(${scale})`;
  },
  grad({ f, gradient, inputs: [x = '', scale = '', zero = ''], n }) {
    const { dtype } = n.output(0);
    const as = (name: string) => f.like(name, dtype);
    const number = zero ? f.sub(as(x), as(zero)) : as(x);
    const ofX = f.mul(gradient, as(scale));
    return [
      isFloat(n.input(0).dtype) ? f.like(ofX, n.input(0).dtype) : ofX,
      f.like(f.mul(gradient, number), n.input(1).dtype),
    ];
  },
});

/** With only those target types that the arithmetic gives. */
function checked(op: typeof quantize, allowed: (dtype: DType) => boolean): typeof quantize {
  return {
    ...op,
    infer(n) {
      const dtype = dtypeOfNumber(n.attributes.to);
      if (!dtype || !allowed(dtype)) n.fail(`gives ${dtype ?? `the element type number ${n.attributes.to}`}`);
      return op.infer(n);
    },
  };
}

export default [{ ...checked(quantize, isQuantizedInteger), straightThrough: true }, checked(dequantize, isWideFloat)];

const halves: CaseInput = { dims: [12], values: [-300, -2.5, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 3.49, 127, 254.5, 900] };
const one: CaseInput = { dims: [], values: [1] };

export const cases: Record<string, OpCase[]> = {
  'lepton.Quantize': [
    { name: 'halves to uint8', inputs: [halves, one], attributes: { to: 2 } },
    {
      name: 'halves to int8, zero point',
      inputs: [halves, one, { dtype: 'int8', dims: [], values: [-3], constant: true }],
      attributes: { to: 3 },
    },
    {
      name: 'a scale each column, to int16',
      inputs: [
        { dims: [3, 129], range: [-900, 900] },
        { dims: [129], range: [0.01, 0.1] },
        { dtype: 'int16', dims: [129], range: [-99, 99] },
      ],
      attributes: { to: 5 },
    },
  ],
  'lepton.Dequantize': [
    {
      name: 'uint8, a scale each row',
      inputs: [
        { dtype: 'uint8', dims: [5, 127], range: [0, 255] },
        { dims: [5, 1] },
        { dtype: 'uint8', dims: [5, 1], range: [0, 255] },
      ],
      attributes: { to: 1 },
    },
    {
      name: 'int32 to float16',
      inputs: [
        { dtype: 'int32', dims: [7], range: [-999, 999] },
        { dtype: 'float16', dims: [] },
      ],
      attributes: { to: 10 },
    },
  ],
};
