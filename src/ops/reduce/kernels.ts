// The kernels of the reductions. `outputs`: an invocation for four outputs, for many outputs with short
// reductions. `row`: a workgroup for one output. `split`: several workgroups for one output, whose partial
// results a second dispatch joins.

import outputsShader from '../../../shaders/reduce-outputs.wgsl?raw';
import rowShader from '../../../shaders/reduce-row.wgsl?raw';
import { byteSize, type DType, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elementHelpers, wordsPerQuad, wordType } from '../wgsl/elements';
import { type ReduceGeometry, walkHelpers, walkUniforms } from './geometry';
import { accumulatorDType, type Reducer, reducerText } from './reducer';
import { packLanesText, readLanesText } from './text';

const mostWalked = 4;
const shared = `${elementHelpers}${linearHelpers}${walkHelpers}`;

/** @param geometryOf the reduction a node asks for */
export function reduceKernels<A>(
  name: string,
  reducer: Reducer,
  geometryOf: (n: NodeView<A>) => ReduceGeometry,
): Kernel<A>[] {
  const fits = (n: NodeView<A>) => {
    const { kept, reduced } = geometryOf(n);
    return kept.sizes.length <= mostWalked && reduced.sizes.length <= mostWalked;
  };
  // `row` and `split` store single elements, which packed types cannot.
  const storesElements = (n: NodeView<A>) =>
    fits(n) && (wordsPerQuad(n.input(0).dtype) === 4 || deviceType(n.input(0).dtype) === 'float16');
  const elements = (n: NodeView<A>) => {
    const { outputs, length } = geometryOf(n);
    return outputs * length;
  };
  const bytes = (n: NodeView<A>) => byteSize(deviceType(n.input(0).dtype));
  return [
    {
      name: 'outputs',
      space: { rows: [1, 8, 32] },
      when: fits,
      cost(n, t) {
        const { outputs, length } = geometryOf(n);
        const rows = t.rows as number;
        const columns = 64 / rows;
        const workgroups = ceilDiv(outputs, 4 * columns);
        return {
          flops: workgroups * columns * rows * (8 * ceilDiv(length, rows) + 40),
          traffic: workgroups * columns * 4 * (length + 1) * bytes(n),
          shared: rows > 1 ? workgroups * columns * rows * 32 : 0,
          cleared: rows > 1 ? workgroups * (columns * rows) ** 2 * 16 : 0,
          workgroups,
        };
      },
      dispatches: (n, t) => [outputsDispatch(name, reducer, n.input(0).dtype, geometryOf(n), t.rows as number)],
    },
    {
      name: 'row',
      space: { invocations: [64, 256] },
      when: storesElements,
      legal: (n, t) => t.invocations === 64 || geometryOf(n).length >= 4 * (t.invocations as number),
      cost(n, t) {
        const { outputs, length } = geometryOf(n);
        const invocations = t.invocations as number;
        return {
          flops: outputs * invocations * (12 * ceilDiv(length, 4 * invocations) + 40),
          traffic: (elements(n) + outputs) * bytes(n),
          shared: outputs * invocations * 4 * (2 + Math.sqrt(invocations)),
          cleared: outputs * invocations * (invocations + Math.sqrt(invocations)) * 4,
          workgroups: outputs,
        };
      },
      dispatches(n, t) {
        const { dtype } = n.input(0);
        return [
          rowDispatch({
            label: `${name}.row`,
            dtype,
            stored: wordType(dtype),
            reducer,
            geometry: geometryOf(n),
            invocations: t.invocations as number,
            bindings: { input: { input: 0 }, result: { output: 0 } },
          }),
        ];
      },
    },
    {
      name: 'split',
      space: { parts: [16, 64] },
      when: storesElements,
      legal: (n, t) => geometryOf(n).length >= 64 * (t.parts as number),
      cost(n, t) {
        const { outputs, length } = geometryOf(n);
        const parts = t.parts as number;
        return {
          flops: outputs * parts * 64 * (12 * ceilDiv(length, 256 * parts) + 40),
          traffic: elements(n) * bytes(n) + outputs * parts * 8,
          shared: outputs * (parts + 1) * 64 * 40,
          cleared: outputs * (parts + 1) * 64 * 72 * 4,
          workgroups: outputs * parts,
          dispatches: 2,
        };
      },
      dispatches: (n, t) => splitDispatches(name, reducer, n.input(0).dtype, geometryOf(n), t.parts as number),
    },
  ];
}

/** Whether four elements in a row along the walk always lie side by side, from a multiple of 4 on. */
function sideBySide({ sizes, strides }: ReduceGeometry['kept']): boolean {
  return strides[0] === 1 && (sizes[0] as number) % 4 === 0;
}

function outputsDispatch(
  name: string,
  reducer: Reducer,
  dtype: DType,
  geometry: ReduceGeometry,
  rows: number,
): Dispatch {
  const columns = 64 / rows;
  const { kept, reduced, outputs, length } = geometry;
  const front = [shared, reducerText(dtype, reducer), readLanesText(dtype, sideBySide(kept)), packLanesText(dtype)];
  return {
    label: `${name}.outputs`,
    wgsl: front.join('') + outputsShader,
    constants: { columns, rows, slots: rows > 1 ? columns * rows : 1 },
    bindings: { input: { input: 0 }, result: { output: 0 } },
    uniforms: { outputs, length, ...walkUniforms('kept', kept), ...walkUniforms('reduced', reduced) },
    workgroups: foldWorkgroups(ceilDiv(outputs, 4 * columns)),
  };
}

interface RowOptions {
  readonly label: string;
  readonly dtype: DType;
  /** WGSL type of a stored result. */
  readonly stored: string;
  readonly reducer: Reducer;
  readonly geometry: ReduceGeometry;
  readonly invocations: number;
  readonly bindings: { readonly input: Operand; readonly result: Operand };
  readonly parts?: number;
  /** Elements that `finish` divides by; default the geometry's. */
  readonly count?: number;
}

function rowDispatch(o: RowOptions): Dispatch {
  const { kept, reduced, outputs, length } = o.geometry;
  const parts = o.parts ?? 1;
  const front = [
    shared,
    reducerText(o.dtype, o.reducer),
    readLanesText(o.dtype, sideBySide(reduced)),
    `alias stored = ${o.stored};\n`,
  ];
  return {
    label: o.label,
    wgsl: front.join('') + rowShader,
    constants: { invocations: o.invocations, radix: Math.sqrt(o.invocations), joined_slots: Math.sqrt(o.invocations) },
    bindings: o.bindings,
    uniforms: {
      outputs,
      parts,
      part_length: 4 * ceilDiv(length, 4 * parts),
      length,
      count: o.count ?? length,
      ...walkUniforms('kept', kept),
      ...walkUniforms('reduced', reduced),
    },
    workgroups: foldWorkgroups(outputs * parts),
  };
}

function splitDispatches(
  name: string,
  reducer: Reducer,
  dtype: DType,
  geometry: ReduceGeometry,
  parts: number,
): Dispatch[] {
  const { outputs, length } = geometry;
  const { prepare, finish, ...plain } = reducer;
  const partials: Operand = { scratch: 'partials', bytes: 4 * outputs * parts };
  const accumulator = accumulatorDType(dtype);
  return [
    rowDispatch({
      label: `${name}.parts`,
      dtype,
      stored: wordType(accumulator),
      reducer: prepare ? { ...plain, prepare } : plain,
      geometry,
      invocations: 64,
      bindings: { input: { input: 0 }, result: partials },
      parts,
    }),
    rowDispatch({
      label: `${name}.join`,
      dtype: accumulator,
      stored: wordType(dtype),
      reducer: finish ? { ...plain, finish } : plain,
      geometry: {
        kept: { sizes: [outputs], strides: [parts] },
        reduced: { sizes: [parts], strides: [1] },
        outputs,
        length: parts,
      },
      invocations: 64,
      bindings: { input: partials, result: { output: 0 } },
      count: length,
    }),
  ];
}
