// MaxPool, AveragePool and LpPool: one shader, into which three small functions are put. Padding never
// wins a maximum, and counts in an average only where count_include_pad says so.

import poolShader from '../../shaders/pool.wgsl?raw';
import { isFloat } from '../base/dtype';
import { type NDArray, ndarray } from '../base/ndarray';
import { ceilDiv, forEachIndex, sizeOf, stridesOf } from '../base/shape';
import { float, int } from '../ir/attributes';
import type { Dispatch, Kernel } from '../ir/kernel';
import type { NodeView, TensorType } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { oneEach } from './wgsl/dispatch';
import { computeScalar } from './wgsl/elements';
import {
  ceilMode,
  forEachTap,
  slidingWindow,
  spatialDims,
  type Window,
  type WindowAttributes,
  windowAttributes,
} from './window';

const workgroupSize = 64;

interface PoolAttributes extends WindowAttributes {
  readonly kernel_shape: readonly number[] | undefined;
  readonly ceil_mode: number;
}

interface PoolRule {
  /** WGSL of start, accumulate and finish. */
  readonly functions: string;
  readonly uniforms?: (n: NodeView) => Record<string, number>;
  /** One window on the host: its values, and how many taps lie within input and padding. */
  readonly reduce: (n: NodeView, values: readonly number[], covered: number) => number;
}

const max: PoolRule = {
  functions: `
fn start() -> f32 { return -3.4028234e38f; }
fn accumulate(sum: f32, v: f32) -> f32 { return max(sum, v); }
fn finish(sum: f32, count: f32) -> f32 { return sum; }`,
  reduce: (_, values) => Math.max(...values),
};

const average: PoolRule = {
  functions: `
fn start() -> f32 { return 0.0; }
fn accumulate(sum: f32, v: f32) -> f32 { return sum + v; }
fn finish(sum: f32, count: f32) -> f32 { return sum / count; }`,
  uniforms: (n) => ({ countPad: includesPad(n) ? 1 : 0 }),
  reduce: (n, values, covered) => values.reduce((a, b) => a + b, 0) / (includesPad(n) ? covered : values.length),
};

const lp: PoolRule = {
  functions: `
fn start() -> f32 { return 0.0; }
fn accumulate(sum: f32, v: f32) -> f32 { return sum + pow(abs(v), params.power); }
fn finish(sum: f32, count: f32) -> f32 { return pow(sum, 1.0 / params.power); }`,
  uniforms: (n) => ({ power: powerOf(n) }),
  reduce: (n, values) => values.reduce((sum, v) => sum + Math.abs(v) ** powerOf(n), 0) ** (1 / powerOf(n)),
};

function includesPad(n: NodeView): boolean {
  return (n.attributes as { count_include_pad: number }).count_include_pad === 1;
}

function powerOf(n: NodeView): number {
  return (n.attributes as { p: number }).p;
}

function windowOf(n: NodeView): Window {
  const { dims } = n.input(0);
  const attributes = n.attributes as PoolAttributes;
  const spatial = spatialDims(n, dims);
  const kernel = attributes.kernel_shape ?? n.fail('lacks the attribute "kernel_shape"');
  if (kernel.length !== spatial.length) {
    n.fail(`has a kernel_shape of ${kernel.length} entries, but its input has ${spatial.length} spatial axes`);
  }
  return slidingWindow(n as NodeView<WindowAttributes>, spatial, kernel, attributes.ceil_mode === 1);
}

function infer(n: NodeView): TensorType[] {
  const { dtype, dims } = n.input(0);
  const window = windowOf(n);
  const out = [...dims.slice(0, 2), ...window.output.slice(3 - window.rank)];
  return [
    { dtype, dims: out },
    { dtype: 'int64', dims: out },
  ];
}

function reference(rule: PoolRule, n: NodeView, x: NDArray): NDArray[] {
  const window = windowOf(n);
  const [result, positions] = infer(n).map((t) => ndarray(t.dtype, t.dims)) as [NDArray, NDArray];
  const plane = sizeOf(window.input);
  const columnMajor = (n.attributes as { storage_order?: number }).storage_order === 1;
  const planes = (x.dims[0] as number) * (x.dims[1] as number);
  forEachIndex([planes, ...window.output], ([p = 0, ...at], flat) => {
    const values: number[] = [];
    let best = 0;
    forEachTap(window, at, (_, offset) => {
      const v = x.data[p * plane + offset] as number;
      if (values.length === 0 || values.every((w) => v > w)) best = offset;
      values.push(v);
    });
    result.data[flat] = rule.reduce(n, values, coveredTaps(window, at));
    positions.data[flat] = p * plane + (columnMajor ? transposed(best, window.input) : best);
  });
  return [result, positions];
}

/** Taps that lie within the input and its padding: with ceil_mode the last window reaches beyond. */
function coveredTaps(w: Window, at: readonly number[]): number {
  return [0, 1, 2].reduce((product, i) => {
    const first = (at[i] as number) * (w.strides[i] as number) - (w.begins[i] as number);
    const limit = (w.input[i] as number) + (w.ends[i] as number);
    return product * Math.min(w.kernel[i] as number, ceilDiv(limit - first, w.dilations[i] as number));
  }, 1);
}

function transposed(offset: number, dims: readonly number[]): number {
  const strides = stridesOf(dims);
  const at = dims.map((d, i) => Math.floor(offset / (strides[i] as number)) % d) as [number, number, number];
  const [depth, height] = dims as [number, number, number];
  return (at[2] * height + at[1]) * depth + at[0];
}

function kernel(rule: PoolRule): Kernel {
  return {
    name: 'window',
    when: (n) => isFloat(n.input(0).dtype),
    cost(n) {
      const outputs = sizeOf(n.output(0).dims);
      const taps = sizeOf(windowOf(n).kernel);
      return { flops: outputs * taps, traffic: 4 * outputs * (taps + 1), workgroups: ceilDiv(outputs, workgroupSize) };
    },
    dispatches: (n) => [dispatch(rule, n)],
  };
}

function dispatch(rule: PoolRule, n: NodeView): Dispatch {
  const w = windowOf(n);
  const output = n.output(0);
  const count = sizeOf(output.dims);
  const indexed = n.wants(1);
  const note = indexed
    ? '@group(0) @binding(3) var<storage, read_write> positions: array<i32>;\nfn note(index: u32, at: u32) { positions[index] = i32(at); }'
    : 'fn note(index: u32, at: u32) {}';
  const elem = output.dtype === 'float16' ? 'f16' : computeScalar(output.dtype);
  return {
    label: `${n.node.op}.window`,
    wgsl: `alias elem = ${elem};\n${note}\n${rule.functions}\n${poolShader}`,
    bindings: { source: { input: 0 }, result: { output: 0 }, ...(indexed && { positions: { output: 1 } }) },
    uniforms: {
      count,
      countPad: 0,
      columnMajor: (n.attributes as { storage_order?: number }).storage_order ?? 0,
      power: 1,
      size: w.input,
      outSize: w.output,
      kernel: w.kernel,
      stride: w.strides,
      dilation: w.dilations,
      begin: w.begins,
      end: w.ends,
      ...rule.uniforms?.(n),
    },
    workgroups: oneEach(count, workgroupSize),
  };
}

export default [
  defineOp({
    name: 'MaxPool',
    attributes: { ...windowAttributes, ...ceilMode, storage_order: int(0) },
    infer,
    reference: (n, [x]) => reference(max, n, x as NDArray),
    kernels: [kernel(max)],
  }),
  defineOp({
    name: 'AveragePool',
    attributes: { ...windowAttributes, ...ceilMode, count_include_pad: int(0) },
    infer: (n) => infer(n).slice(0, 1),
    reference: (n, [x]) => reference(average, n, x as NDArray).slice(0, 1),
    kernels: [kernel(average)],
  }),
  defineOp({
    name: 'LpPool',
    attributes: { ...windowAttributes, ...ceilMode, p: float(2) },
    infer: (n) => infer(n).slice(0, 1),
    reference: (n, [x]) => reference(lp, n, x as NDArray).slice(0, 1),
    kernels: [kernel(lp)],
  }),
];

const shapes: readonly (Omit<OpCase, 'inputs'> & { dims: readonly number[] })[] = [
  { name: '2×2, stride 2', dims: [1, 3, 8, 8], attributes: { kernel_shape: [2, 2], strides: [2, 2] } },
  {
    name: '3×3, pads, odd sizes',
    dims: [2, 3, 7, 9],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] },
  },
  {
    name: 'uneven pads',
    dims: [1, 2, 6, 7],
    attributes: { kernel_shape: [3, 2], strides: [1, 2], pads: [0, 1, 2, 0] },
  },
  { name: 'ceil_mode', dims: [1, 2, 7, 7], attributes: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 } },
  {
    name: 'ceil_mode and pads',
    dims: [1, 1, 6, 6],
    attributes: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 },
  },
  { name: 'dilated', dims: [1, 2, 9, 9], attributes: { kernel_shape: [2, 3], dilations: [3, 2] } },
  {
    name: 'SAME_UPPER',
    dims: [1, 2, 5, 8],
    attributes: { kernel_shape: [3, 3], strides: [2, 3], auto_pad: 'SAME_UPPER' },
  },
  { name: 'SAME_LOWER', dims: [1, 2, 5, 8], attributes: { kernel_shape: [2, 2], auto_pad: 'SAME_LOWER' } },
  { name: 'one axis', dims: [2, 3, 17], attributes: { kernel_shape: [3], strides: [2] } },
  {
    name: 'three axes',
    dims: [1, 2, 4, 5, 6],
    attributes: { kernel_shape: [2, 3, 2], strides: [1, 2, 2], pads: [1, 1, 0, 0, 1, 1] },
  },
];
const withInputs = (more: Record<string, number> = {}): OpCase[] =>
  shapes.map(({ dims, attributes, ...rest }) => ({
    ...rest,
    attributes: { ...attributes, ...more },
    inputs: [{ dims }],
  }));

export const cases: Record<string, OpCase[]> = {
  MaxPool: [
    ...withInputs(),
    ...withInputs().map((c) => ({ ...c, name: `${c.name}, with positions`, outputs: 2 })),
    {
      name: 'positions by columns',
      outputs: 2,
      attributes: { kernel_shape: [2, 2], storage_order: 1 },
      inputs: [{ dims: [1, 2, 4, 5] }],
    },
    { name: 'float16', attributes: { kernel_shape: [3, 3] }, inputs: [{ dtype: 'float16', dims: [1, 3, 7, 7] }] },
  ],
  AveragePool: [
    ...withInputs(),
    ...withInputs({ count_include_pad: 1 }).map((c) => ({ ...c, name: `${c.name}, counting pads` })),
  ],
  LpPool: [...withInputs(), ...withInputs({ p: 3 }).map((c) => ({ ...c, name: `${c.name}, p = 3` }))],
};
