// Shorthand for element-wise operators: name, element types, a JavaScript function as reference and WGSL
// for four lanes. The result has the broadcast shape of the inputs.

import { type DType, isFloat } from '../base/dtype';
import { ndarray } from '../base/ndarray';
import { broadcastDims, broadcastStrides, forEachIndex } from '../base/shape';
import type { AttributeSchema, AttributesOf } from '../ir/attributes';
import { defineOp, type OpDef } from '../ir/opdef';
import type { PointwiseContext } from '../ir/pointwise';
import { type Partials, pointwiseGrad } from './gradient';

interface PointwiseSpec<S extends AttributeSchema> {
  readonly name: string;
  readonly attributes?: S;
  /** Fewest and most inputs. */
  readonly arity: readonly [number, number];
  /** Element types of the inputs; default 'number'. */
  readonly types?: keyof typeof typeClasses;
  /** The inputs from this one on must have one type; default 0, all of them. */
  readonly agreeFrom?: number;
  /** Type of the result; by default that of input 0. */
  readonly result?: (types: readonly (DType | undefined)[], attributes: AttributesOf<S>) => DType;
  /** One element; absent optional inputs are undefined. */
  readonly element: (
    attributes: AttributesOf<S>,
    types: readonly (DType | undefined)[],
  ) => (...args: number[]) => number;
  /** WGSL expression over the lanes, or expression with helper functions. */
  readonly wgsl: (
    p: PointwiseContext<AttributesOf<S>>,
    a: string,
    b: string,
  ) => string | { expression: string; functions: Record<string, string> };
  /** By input, the output's gradient times the partial derivative. */
  readonly grad?: Partials<AttributesOf<S>>;
}

const typeClasses = {
  float: isFloat,
  integer: (dtype: DType) => dtype !== 'bool' && !isFloat(dtype),
  number: (dtype: DType) => dtype !== 'bool',
  signed: (dtype: DType) => dtype !== 'bool' && !dtype.startsWith('u'),
  bool: (dtype: DType) => dtype === 'bool',
  any: () => true,
};

export function pointwiseOp<S extends AttributeSchema>(spec: PointwiseSpec<S>): OpDef<S> {
  const resultType = (types: readonly (DType | undefined)[], attributes: AttributesOf<S>) =>
    spec.result?.(types, attributes) ?? (types[0] as DType);
  return defineOp<S>({
    name: spec.name,
    attributes: spec.attributes ?? ({} as S),
    infer(n) {
      const [fewest, most] = spec.arity;
      if (n.inputs.length < fewest || n.inputs.length > most) {
        n.fail(
          `has ${n.inputs.length} inputs, but ${spec.name} takes ${fewest === most ? fewest : `${fewest} to ${most}`}`,
        );
      }
      for (let i = 0; i < fewest; i++) n.input(i);
      const present = n.inputs.filter((t) => t !== undefined);
      const agreeing = n.inputs.slice(spec.agreeFrom ?? 0).filter((t) => t !== undefined);
      if (agreeing.some((t) => t.dtype !== agreeing[0]?.dtype)) n.fail('has inputs whose element types differ');
      const types = spec.types ?? 'number';
      if (!agreeing.every((t) => typeClasses[types](t.dtype))) {
        n.fail(`has an input whose element type is ${types === 'number' ? 'not a number' : `not of kind ${types}`}`);
      }
      const dims = broadcastDims(...present.map((t) => t.dims)) ?? n.fail('has inputs whose shapes do not broadcast');
      return [
        {
          dtype: resultType(
            n.inputs.map((t) => t?.dtype),
            n.attributes,
          ),
          dims,
        },
      ];
    },
    reference(n, inputs) {
      const types = inputs.map((t) => t?.dtype);
      const dims = broadcastDims(...inputs.filter((t) => t !== undefined).map((t) => t.dims)) ?? [];
      const strides = inputs.map((t) => (t ? broadcastStrides(t.dims, dims) : []));
      const element = spec.element(n.attributes, types);
      const out = ndarray(resultType(types, n.attributes), dims);
      const args = new Array<number>(inputs.length);
      forEachIndex(dims, (at, flat) => {
        inputs.forEach((t, i) => {
          let offset = 0;
          const s = strides[i] as number[];
          for (let d = 0; d < s.length; d++) offset += (at[d] as number) * (s[d] as number);
          args[i] = t?.data[offset] as number;
        });
        out.data[flat] = element(...args);
      });
      return [out];
    },
    pointwise(p) {
      const code = spec.wgsl(p, p.args[0] ?? '', p.args[1] ?? '');
      return typeof code === 'string' ? { expression: code } : code;
    },
    ...(spec.grad && { grad: pointwiseGrad(spec.grad) }),
  });
}
