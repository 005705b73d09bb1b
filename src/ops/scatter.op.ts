// ScatterElements and ScatterND: a copy of the data in which updates replace, or are combined with, the
// elements that indices name. Updates are applied in order, so that the result never depends on timing.

import text from '../../shaders/scatter.wgsl?raw';
import { type DType, isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { formatDims, sameDims, sizeOf, stridesOf } from '../base/shape';
import { int, string } from '../ir/attributes';
import type { Dispatch, Kernel } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type LowerBuilder, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { Formula, zeros } from './gradient';
import { type ScatterLayout, targetsOf } from './scatter-layout';
import { collapse } from './wgsl/collapse';
import { oneEach } from './wgsl/dispatch';
import { computeScalar, wordsPerQuad } from './wgsl/elements';
import { stridedCopy, stridedCost, type Walk } from './wgsl/strided-copy';

const workgroupSize = 64;
const reductions = ['none', 'add', 'mul', 'max', 'min'] as const;
type Reduction = (typeof reductions)[number];

type ElementsView = NodeView<{ readonly axis: number; readonly reduction: string }>;
type SliceView = NodeView<{ readonly reduction: string }>;

function reductionOf(n: SliceView): Reduction {
  const { reduction } = n.attributes;
  return (
    reductions.find((r) => r === reduction) ??
    n.fail(`has the reduction "${reduction}"; expected ${reductions.join(', ')}`)
  );
}

function elementsLayout(n: ElementsView): ScatterLayout {
  const { dims } = n.input(0);
  const { dims: updates } = n.input(1);
  const axis = axisOf(n, n.attributes.axis, dims.length);
  const strides = stridesOf(dims);
  const own = stridesOf(updates);
  const columns = collapse(updates.toSpliced(axis, 1), [own.toSpliced(axis, 1), strides.toSpliced(axis, 1)]);
  return {
    rows: updates[axis] as number,
    updateStep: own[axis] as number,
    depth: 1,
    indexStep: own[axis] as number,
    indexPerColumn: true,
    sizes: [dims[axis] as number],
    steps: [strides[axis] as number],
    columns: {
      dims: columns.dims,
      updateStrides: columns.strides[0] as number[],
      resultStrides: columns.strides[1] as number[],
    },
  };
}

function slicesLayout(n: SliceView): ScatterLayout {
  const { dims } = n.input(0);
  const indices = n.input(1).dims;
  const depth = indices.at(-1) ?? 0;
  const inner = sizeOf(dims.slice(depth));
  return {
    rows: sizeOf(indices.slice(0, -1)),
    updateStep: inner,
    depth,
    indexStep: depth,
    indexPerColumn: false,
    sizes: dims.slice(0, depth),
    steps: stridesOf(dims).slice(0, depth),
    columns: { dims: [inner], updateStrides: [1], resultStrides: [1] },
  };
}

const combine: Record<Reduction, (a: number, b: number) => number> = {
  none: (_, b) => b,
  add: (a, b) => a + b,
  mul: (a, b) => a * b,
  max: Math.max,
  min: Math.min,
};

function reference(n: SliceView, layout: ScatterLayout, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const [data, indices, updates] = [0, 1, 2].map((i) => inputs[i] ?? n.fail(`lacks its input ${i}`)) as [
    NDArray,
    NDArray,
    NDArray,
  ];
  const out = ndarray(data.dtype, data.dims, data.data);
  const apply = combine[reductionOf(n)];
  targetsOf(layout, indices.data, (to, update) => {
    out.data[to] = apply(out.data[to] as number, updates.data[update] as number);
  });
  return [out];
}

/** Whether no two updates name the same element, so far as that is known before the run. */
function areDistinct(n: NodeView, layout: ScatterLayout): boolean {
  const indices = n.input(1).array;
  if (!indices) return false;
  const seen = new Set<number>();
  let updates = 0;
  targetsOf(layout, indices.data, (to) => {
    seen.add(to);
    updates++;
  });
  return seen.size === updates;
}

function scatter(n: SliceView, layout: ScatterLayout, chunk: number): Dispatch[] {
  const { dtype, dims } = n.output(0);
  const reduction = reductionOf(n);
  const half = dtype === 'float16';
  const elem = half ? 'f16' : reduction === 'none' ? 'u32' : computeScalar(dtype);
  const result = {
    none: 'update',
    add: 'old + update',
    mul: 'old * update',
    max: 'max(old, update)',
    min: 'min(old, update)',
  }[reduction];
  const { columns, rows } = layout;
  const chunks = Math.ceil(rows / chunk);
  const invocations = chunks * sizeOf(columns.dims);
  const copy = stridedCopy(`${n.node.op}.copy`, dtype, wholeWalk(dims), { input: 0 }, { output: 0 });
  if (invocations === 0) return [copy];
  return [
    copy,
    {
      label: `${n.node.op}.${reduction}`,
      wgsl: `alias elem = ${elem};\nfn combine(old: elem, update: elem) -> elem { return ${result}; }\n${text}`,
      constants: { workgroup_size: workgroupSize },
      bindings: { indices: { input: 1 }, updates: { input: 2 }, result: { output: 0 } },
      uniforms: {
        invocations,
        rows,
        chunk,
        chunks,
        update_step: layout.updateStep,
        depth: layout.depth,
        index_step: layout.indexStep,
        index_per_column: layout.indexPerColumn ? 1 : 0,
        sizes: layout.sizes,
        steps: layout.steps,
        column_rank: columns.dims.length,
        column_dims: columns.dims,
        column_update_strides: columns.updateStrides,
        column_result_strides: columns.resultStrides,
      },
      workgroups: oneEach(invocations, workgroupSize),
    },
  ];
}

function wholeWalk(dims: readonly number[]): Walk {
  return { dims, strides: stridesOf(dims), offset: 0 };
}

function kernelsOf<A extends { readonly reduction: string }>(layoutOf: (n: NodeView<A>) => ScatterLayout): Kernel<A>[] {
  const kernel = (name: string, chunkOf: (layout: ScatterLayout) => number): Kernel<A> => ({
    name,
    cost(n) {
      const layout = layoutOf(n);
      const updates = sizeOf(n.input(2).dims);
      const copy = stridedCost(n.output(0).dtype, wholeWalk(n.output(0).dims));
      const each = layout.depth * 4 + 3 * wordsPerQuad(n.output(0).dtype);
      return {
        flops: copy.flops + updates * layout.depth * 4,
        traffic: copy.traffic + updates * each,
        workgroups: Math.ceil(updates / chunkOf(layout) / workgroupSize),
        dispatches: 2,
      };
    },
    dispatches: (n) => scatter(n, layoutOf(n), chunkOf(layoutOf(n))),
  });
  return [
    { ...kernel('parallel', () => 1), when: (n) => areDistinct(n, layoutOf(n)) },
    kernel('ordered', (layout) => Math.max(1, layout.rows)),
  ];
}

/** Elements that share a word cannot be written one by one: those types are scattered as int32. */
function lowerPacked(n: NodeView, b: LowerBuilder, attributes: Record<string, string | number>): string[] | undefined {
  const { dtype } = n.input(0);
  if (isFloat(dtype) || wordsPerQuad(dtype) === 4) return undefined;
  const [data, indices, updates] = n.node.inputs as readonly [string, string, string];
  const cast = (name: string, to: DType) => b.add('Cast', [name], { to: numberOfDType(to) })[0] as string;
  const [wide] = b.add(n.node.op, [cast(data, 'int32'), indices, cast(updates, 'int32')], attributes);
  return [cast(wide as string, dtype)];
}

function checkTypes(n: SliceView): void {
  const [data, indices, updates] = [n.input(0), n.input(1), n.input(2)];
  if (indices.dtype !== 'int64' && indices.dtype !== 'int32') n.fail(`has indices of type ${indices.dtype}`);
  if (updates.dtype !== data.dtype) n.fail(`scatters ${updates.dtype} into ${data.dtype}`);
  reductionOf(n);
}

/** The operator and its inverse, of values in the shape of the data. */
interface Moves {
  scatter(data: string, updates: string, reduction: Reduction): string;
  gather(values: string): string;
}

/**
 * Of an element that several updates name, the last has the gradient where one replaces the other. Where the largest or
 * smallest counts it is the data's if that is it, else all equal updates'. A factor of 0, which hides the others, has 0.
 */
function scatterGrad(
  n: SliceView,
  b: LowerBuilder,
  layout: ScatterLayout,
  gradient: string,
  moves: Moves,
): (string | undefined)[] {
  const [data, , updates] = n.node.inputs as [string, string, string];
  const result = n.node.outputs[0] as string;
  const { dtype, dims } = n.input(0);
  const sizes = n.input(2).dims;
  const f = new Formula(b, dtype);
  const { scatter, gather } = moves;
  const pair = (ofData: string, ofUpdates: string) => [ofData, undefined, ofUpdates];
  switch (reductionOf(n)) {
    case 'none': {
      const ofData = scatter(gradient, zeros(b, dtype, sizes), 'none');
      if (areDistinct(n, layout)) return pair(ofData, gather(gradient));
      const order = b.constant(ndarray('int32', sizes, [...Array(sizeOf(sizes)).keys()]));
      const last = gather(scatter(zeros(b, 'int32', dims), order, 'none'));
      return pair(ofData, f.keep(f.of('Equal', last, order), gather(gradient)));
    }
    case 'add':
      return pair(gradient, gather(gradient));
    case 'mul': {
      const factors = scatter(f.node('Expand', [f.number(1), b.constant(int64s(dims))]), updates, 'mul');
      const shares = f.div(gather(f.mul(gradient, result)), updates);
      return pair(f.mul(gradient, factors), f.choose(f.of('Equal', updates, 0), 0, shares));
    }
    default: {
      const own = f.of('Equal', data, result);
      const others = gather(f.choose(own, 0, gradient));
      return pair(f.keep(own, gradient), f.keep(f.of('Equal', gather(result), updates), others));
    }
  }
}

const scatterElements = defineOp({
  name: 'ScatterElements',
  attributes: { axis: int(0), reduction: string('none') },
  infer(n) {
    checkTypes(n);
    const [data, indices, updates] = [n.input(0), n.input(1), n.input(2)];
    if (!sameDims(indices.dims, updates.dims) || indices.dims.length !== data.dims.length) {
      n.fail(
        `has indices ${formatDims(indices.dims)} for updates ${formatDims(updates.dims)}; expected equal shapes of the data's rank`,
      );
    }
    if (elementsLayout(n).columns.dims.length > 8) n.fail('has more than 9 axes', 'UNSUPPORTED_MODEL');
    return [{ dtype: data.dtype, dims: data.dims }];
  },
  reference: (n, inputs) => reference(n, elementsLayout(n), inputs),
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const indices = n.node.inputs[1] as string;
    const { axis } = n.attributes;
    return scatterGrad(n, b, elementsLayout(n), gradient, {
      scatter: (data, updates, reduction) =>
        b.add(n.node.op, [data, indices, updates], { axis, reduction })[0] as string,
      gather: (values) => b.add('GatherElements', [values, indices], { axis })[0] as string,
    });
  },
  kernels: kernelsOf(elementsLayout),
  lower: (n, b) => lowerPacked(n, b, { axis: n.attributes.axis, reduction: n.attributes.reduction }),
});

const scatterND = defineOp({
  name: 'ScatterND',
  attributes: { reduction: string('none') },
  infer(n) {
    checkTypes(n);
    const [data, indices, updates] = [n.input(0), n.input(1), n.input(2)];
    const depth = indices.dims.at(-1) ?? 0;
    if (depth < 1 || depth > data.dims.length)
      n.fail(`has indices of ${depth} coordinates into ${data.dims.length} axes`);
    if (depth > 8) n.fail(`has indices of ${depth} coordinates; Lepton takes 8`, 'UNSUPPORTED_MODEL');
    const expected = [...indices.dims.slice(0, -1), ...data.dims.slice(depth)];
    if (!sameDims(updates.dims, expected))
      n.fail(`has updates ${formatDims(updates.dims)}; expected ${formatDims(expected)}`);
    return [{ dtype: data.dtype, dims: data.dims }];
  },
  reference: (n, inputs) => reference(n, slicesLayout(n), inputs),
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const indices = n.node.inputs[1] as string;
    return scatterGrad(n, b, slicesLayout(n), gradient, {
      scatter: (data, updates, reduction) => b.add(n.node.op, [data, indices, updates], { reduction })[0] as string,
      gather: (values) => b.add('GatherND', [values, indices])[0] as string,
    });
  },
  kernels: kernelsOf(slicesLayout),
  lower: (n, b) => lowerPacked(n, b, { reduction: n.attributes.reduction }),
});

export default [scatterElements, scatterND];

const at = (dims: number[], ...values: number[]) => ({ dtype: 'int64', dims, values }) as const;

export const cases: Record<string, OpCase[]> = {
  ScatterElements: [
    { name: 'axis 0', inputs: [{ dims: [4, 3] }, at([2, 3], 1, 0, 2, -1, 2, 1), { dims: [2, 3] }] },
    { name: 'constant indices', inputs: [{ dims: [5] }, { ...at([2], 1, 3), constant: true }, { dims: [2] }] },
    {
      name: 'add with duplicates',
      inputs: [{ dims: [2, 5] }, at([2, 3], 1, 1, 4, 0, 0, 0), { dims: [2, 3] }],
      attributes: { axis: 1, reduction: 'add' },
    },
    {
      name: 'mul int64',
      inputs: [{ dtype: 'int64', dims: [3] }, at([3], 1, 1, 0), { dtype: 'int64', dims: [3] }],
      attributes: { reduction: 'mul' },
    },
    {
      name: 'max',
      inputs: [{ dims: [3, 2, 5] }, { dtype: 'int64', dims: [2, 2, 4], range: [0, 2] }, { dims: [2, 2, 4] }],
      attributes: { reduction: 'max' },
    },
    {
      name: 'min uint8',
      inputs: [{ dtype: 'uint8', dims: [5] }, at([3], 1, 1, 4), { dtype: 'uint8', dims: [3] }],
      attributes: { reduction: 'min' },
    },
    { name: 'float16', inputs: [{ dtype: 'float16', dims: [5] }, at([2], 3, 0), { dtype: 'float16', dims: [2] }] },
  ],
  ScatterND: [
    { name: 'elements', inputs: [{ dims: [8] }, at([4, 1], 4, 3, 1, 7), { dims: [4] }] },
    { name: 'slices', inputs: [{ dims: [4, 3, 5] }, { ...at([2, 1], 0, -2), constant: true }, { dims: [2, 3, 5] }] },
    { name: 'last duplicate wins', inputs: [{ dims: [4, 5] }, at([3, 1], 1, 3, 1), { dims: [3, 5] }] },
    {
      name: 'add at pairs',
      inputs: [{ dims: [3, 4] }, at([3, 2], 0, 1, 2, 3, 0, 1), { dims: [3] }],
      attributes: { reduction: 'add' },
    },
    { name: 'bool', inputs: [{ dtype: 'bool', dims: [6] }, at([2, 1], 5, 2), { dtype: 'bool', dims: [2] }] },
  ],
};
