// The kernels of the reductions. `outputs`: an invocation for four outputs, for many outputs with short
// reductions; `columns` for sixteen. `row`: an invocation, a part of a workgroup or a whole one for one output. In both an output may fall into
// parts, whose results a second dispatch joins, always in the same order.

import columnsShader from '../../../shaders/reduce-columns.wgsl?raw';
import outputsShader from '../../../shaders/reduce-outputs.wgsl?raw';
import rowShader from '../../../shaders/reduce-row.wgsl?raw';
import { byteSize, type DType, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elementHelpers, wordsPerQuad, wordType } from '../wgsl/elements';
import { barrierWork, canJoin, type Joining, joinConstants, joinCost, joinings, joinText } from '../wgsl/join-lanes';
import { busyRows, columnsOf, laneLayout, loadsApart } from '../wgsl/lanes';
import { isWide } from '../wgsl/wide-integers';
import { type ReduceGeometry, walkHelpers, walkUniforms } from './geometry';
import { accumulatorDType, accumulatorPart, type Reducer, reducerText } from './reducer';
import { chunkOfMatrices, chunkOfQuads, packLanesText, readLanesText } from './text';

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
  // `row` stores single elements, which packed types cannot.
  const storesElements = (n: NodeView<A>) =>
    fits(n) && (wordsPerQuad(n.input(0).dtype) === 4 || deviceType(n.input(0).dtype) === 'float16');
  const bytes = (n: NodeView<A>) => byteSize(deviceType(n.input(0).dtype));
  const row = (joining: Joining): Kernel<A> => ({
    name: `row${joining.suffix}`,
    space: { lanes: [64, 256, 8, 1], parts: [1, 16, 64, 512] },
    when(n, adapter) {
      // Nothing watches for overflow within subgroups.
      const watched = joining.feature !== undefined && isWide(n.input(0).dtype);
      return storesElements(n) && canJoin(joining, adapter) && !watched;
    },
    legal(n, t) {
      const quads = ceilDiv(geometryOf(n).length, 4);
      const lanes = t.lanes as number;
      if (!joining.joins(lanes)) return false;
      if (t.parts === 1) return lanes <= Math.max(8, quads);
      return (lanes === 64 || lanes === 1) && quads >= (lanes === 1 ? 4 : 16) * (t.parts as number);
    },
    cost(n, t) {
      const { outputs, length } = geometryOf(n);
      const lanes = t.lanes as number;
      const parts = t.parts as number;
      const results = busyRows(outputs * parts, lanes);
      const workgroups = ceilDiv(outputs * parts, laneLayout(lanes, outputs * parts).rows);
      const steps = ceilDiv(length, parts * 16 * lanes);
      const step = sideBySide(geometryOf(n).reduced) ? 48 : 300;
      return {
        flops: results * lanes * (step * steps + (lanes > 1 ? 40 : 10)),
        traffic:
          ceilDiv(results * length, parts) *
            bytes(n) *
            Math.max(scattered(geometryOf(n).reduced), loadsApart(length, lanes)) +
          results * (parts > 1 ? 12 : 4),
        ...joinCost(joining, lanes, workgroups, accumulatorPart(n.input(0).dtype, reducer)),
        workgroups,
        dispatches: parts > 1 ? 2 : 1,
      };
    },
    dispatches(n, t, { software }) {
      const [lanes, parts] = [t.lanes as number, t.parts as number];
      const geometry = geometryOf(n);
      return stages(name, reducer, n.input(0).dtype, geometry, { parts, stride: geometry.outputs, software }, (stage) =>
        rowDispatch(stage, joining, lanes),
      );
    },
  });
  return [
    {
      name: 'outputs',
      space: { rows: [1, 8, 32], parts: [1, 16, 64] },
      when: fits,
      legal: (n, t) => t.parts === 1 || (t.rows === 1 && geometryOf(n).length >= 8 * (t.parts as number)),
      cost(n, t) {
        const { outputs, length } = geometryOf(n);
        const rows = t.rows as number;
        const parts = t.parts as number;
        const quads = ceilDiv(outputs, 4) * parts;
        const columns = columnsOf(rows, quads);
        const workgroups = ceilDiv(quads, columns);
        // Four offsets are four times the arithmetic.
        const step = sideBySide(geometryOf(n).kept) ? 8 : 32;
        return {
          flops: workgroups * columns * rows * (step * ceilDiv(length, parts * rows) + 40),
          traffic:
            4 * busyRows(quads, rows) * (ceilDiv(length, parts) * bytes(n) * scattered(geometryOf(n).kept) + 4) +
            (parts > 1 ? 32 * quads : 0),
          shared: rows > 1 ? workgroups * columns * rows * 32 : 0,
          cleared: rows > 1 ? workgroups * (columns * rows) ** 2 * 16 : 0,
          emulated: rows > 1 ? workgroups * columns * rows * barrierWork : 0,
          workgroups,
          dispatches: parts > 1 ? 2 : 1,
        };
      },
      dispatches(n, t, { software }) {
        const [rows, parts] = [t.rows as number, t.parts as number];
        const geometry = geometryOf(n);
        // Parts in whole quads.
        const stride = 4 * ceilDiv(geometry.outputs, 4);
        return stages(name, reducer, n.input(0).dtype, geometry, { parts, stride, software }, (stage) =>
          outputsDispatch(stage, rows),
        );
      },
    },
    ...joinings.map(row),
    {
      name: 'columns',
      when(n, { software }) {
        const { kept, reduced, length } = geometryOf(n);
        const single = kept.sizes.length <= mostWalked && reduced.sizes.length === 1 && length > 0;
        const wide = kept.strides[0] === 1 && (kept.sizes[0] as number) % 16 === 0;
        // A GPU's neighbours would load what lies apart.
        return software && single && wide && deviceType(n.input(0).dtype) === 'float32';
      },
      cost(n) {
        const { outputs, length } = geometryOf(n);
        const blocks = ceilDiv(outputs, 16);
        const busy = busyRows(blocks, 1);
        return {
          flops: busy * (20 * length + 40),
          traffic: 64 * busy * (0.6 * length + 1),
          workgroups: ceilDiv(blocks, columnsOf(1, blocks)),
        };
      },
      dispatches: (n) => [columnsDispatch(name, reducer, geometryOf(n))],
    },
  ];
}

/** Whether four elements in a row along the walk always lie side by side, from a multiple of 4 on. */
function sideBySide({ sizes, strides }: ReduceGeometry['kept']): boolean {
  return strides[0] === 1 && (sizes[0] as number) % 4 === 0;
}

/**
 * How many times its own size an element along the walk takes to load: on a GPU the rest of the memory that comes with
 * it, on a software adapter an offset of its own.
 */
function scattered(walk: ReduceGeometry['kept']): number {
  return sideBySide(walk) ? 1 : walk.strides[0] === 1 ? 1.5 : 2;
}

/** One dispatch of a reduction. */
interface Stage {
  readonly label: string;
  readonly reducer: Reducer;
  /** Element types of what it reads and writes. */
  readonly read: DType;
  readonly stored: DType;
  readonly geometry: ReduceGeometry;
  readonly parts: number;
  /** Elements that `finish` divides by. */
  readonly count: number;
  readonly bindings: { readonly input: Operand; readonly result: Operand };
}

interface Split {
  readonly parts: number;
  /** Accumulators between one part's first output and the next part's. */
  readonly stride: number;
  readonly software: boolean;
}

/** The reduction as one stage, or as one for the parts and one that joins their results. */
function stages(
  name: string,
  reducer: Reducer,
  dtype: DType,
  geometry: ReduceGeometry,
  { parts, stride, software }: Split,
  dispatch: (stage: Stage) => Dispatch,
): Dispatch[] {
  const { outputs, length: count } = geometry;
  const [input, result] = [{ input: 0 }, { output: 0 }];
  if (parts === 1) {
    return [
      dispatch({
        label: name,
        reducer,
        read: dtype,
        stored: dtype,
        geometry,
        parts,
        count,
        bindings: { input, result },
      }),
    ];
  }
  const { prepare, finish, ...plain } = reducer;
  const partials: Operand = { scratch: 'partials', bytes: 4 * stride * parts };
  const accumulator = accumulatorDType(dtype);
  return [
    dispatch({
      label: `${name}.parts`,
      reducer: prepare ? { ...plain, prepare } : plain,
      read: dtype,
      stored: accumulator,
      geometry,
      parts,
      count,
      bindings: { input, result: partials },
    }),
    outputsDispatch(
      {
        label: `${name}.join`,
        reducer: finish ? { ...plain, finish } : plain,
        read: accumulator,
        stored: dtype,
        geometry: {
          kept: { sizes: [stride], strides: [1] },
          reduced: { sizes: [parts], strides: [stride] },
          outputs,
          length: parts,
        },
        parts: 1,
        count,
        bindings: { input: partials, result },
      },
      // Workgroup memory would cost a software adapter more than all else.
      outputs <= 64 && !software ? 32 : 1,
    ),
  ];
}

function uniforms({ geometry, parts, count }: Stage, partLength: number) {
  const { kept, reduced, outputs, length } = geometry;
  return {
    outputs,
    parts,
    part_length: partLength,
    length,
    count,
    ...walkUniforms('kept', kept),
    ...walkUniforms('reduced', reduced),
  };
}

const ranks = ({ geometry, parts }: Stage) => ({
  kept_rank: geometry.kept.sizes.length,
  reduced_rank: geometry.reduced.sizes.length,
  parted: parts > 1 ? 1 : 0,
});

function outputsDispatch(stage: Stage, rows: number): Dispatch {
  const { geometry, read, stored, reducer, parts, bindings } = stage;
  const { kept, outputs, length } = geometry;
  const quads = ceilDiv(outputs, 4) * parts;
  const columns = columnsOf(rows, quads);
  const front = [shared, reducerText(read, reducer), readLanesText(read, sideBySide(kept)), packLanesText(stored)];
  return {
    label: `${stage.label}.outputs`,
    wgsl: front.join('') + outputsShader,
    constants: { columns, rows, slots: rows > 1 ? columns * rows : 1, ...ranks(stage) },
    bindings,
    uniforms: uniforms(stage, ceilDiv(length, parts)),
    workgroups: foldWorkgroups(ceilDiv(quads, columns)),
  };
}

function columnsDispatch(name: string, reducer: Reducer, geometry: ReduceGeometry): Dispatch {
  const { kept, reduced, outputs, length } = geometry;
  const blocks = outputs / 16;
  const columns = columnsOf(1, blocks);
  return {
    label: `${name}.columns`,
    wgsl: shared + reducerText('float32', reducer) + columnsShader,
    constants: { columns, kept_rank: kept.sizes.length },
    bindings: { input: { input: 0 }, result: { output: 0 } },
    uniforms: { blocks, length, distance: (reduced.strides[0] as number) / 16, ...walkUniforms('kept', kept) },
    workgroups: foldWorkgroups(ceilDiv(blocks, columns)),
  };
}

function rowDispatch(stage: Stage, joining: Joining, lanes: number): Dispatch {
  const { geometry, read, stored, reducer, parts, bindings } = stage;
  const { reduced, outputs, length } = geometry;
  const layout = laneLayout(lanes, outputs * parts);
  const oneWalk = reduced.sizes.length === 1;
  const matrices =
    oneWalk &&
    reduced.strides[0] === 1 &&
    lanes === 1 &&
    parts === 1 &&
    // Where there is nothing, not even one matrix can be bound.
    length > 0 &&
    length % 16 === 0 &&
    deviceType(read) === 'float32';
  const front = [
    joining.enable,
    shared,
    reducerText(read, reducer),
    joinText(joining, lanes, accumulatorPart(read, reducer)),
    matrices ? chunkOfMatrices : readLanesText(read, sideBySide(reduced)) + chunkOfQuads,
    `alias stored = ${wordType(stored)};\n`,
  ];
  return {
    label: `${stage.label}.row`,
    wgsl: front.join('') + rowShader,
    constants: { ...joinConstants(joining, layout), ...ranks(stage) },
    bindings,
    uniforms: uniforms(stage, 4 * ceilDiv(length, 4 * parts)),
    workgroups: foldWorkgroups(ceilDiv(outputs * parts, layout.rows)),
  };
}
