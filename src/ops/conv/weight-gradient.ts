// What the kernels of lepton.ConvWeightGradient share: its sizes, its reference, and the second pass that adds up what
// the parts of a long sum came to, always in the same order.

import sumText from '../../../shaders/conv-weight-sum.wgsl?raw';
import { type NDArray, ndarray } from '../../base/ndarray';
import { forEachIndex, sizeOf } from '../../base/shape';
import type { Cost, Dispatch, Operand } from '../../ir/kernel';
import type { NodeView, TensorType } from '../../ir/node-view';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { forEachTap, perAxis, slidingWindow, spatialDims } from '../window';
import type { ConvAttributes, ConvNode, ConvShape } from './shape';

const workgroup = 64;

const shapes = new WeakMap<ConvNode, ConvShape>();

/** The convolution whose weights are asked about. */
export function gradientShape(n: NodeView<ConvAttributes>): ConvShape {
  let shape = shapes.get(n);
  if (!shape) {
    shape = readShape(n);
    shapes.set(n, shape);
  }
  return shape;
}

function readShape(n: ConvNode): ConvShape {
  const [x, dy] = [n.input(0), n.input(1)];
  const { group: groups, kernel_shape } = n.attributes;
  const spatial = spatialDims(n, x.dims);
  if (!kernel_shape) n.fail('lacks the attribute "kernel_shape"');
  const window = slidingWindow(n, spatial, perAxis(n, 'kernel_shape', kernel_shape, spatial.length, 1));
  const [batch = 0, inputs = 0] = x.dims;
  const outputs = dy.dims[1] as number;
  if (dy.dtype !== x.dtype) n.fail(`has an input of ${x.dtype}, but a gradient of ${dy.dtype}`);
  const expected = [batch, outputs, ...window.output.slice(3 - window.rank)];
  if (dy.dims.join() !== expected.join()) n.fail(`needs a gradient of shape [${expected}]`);
  if (inputs % groups !== 0 || outputs % groups !== 0) {
    n.fail(`has ${inputs} input and ${outputs} output channels, which ${groups} groups do not divide`);
  }
  const outputStep = sizeOf(window.output);
  const depth = window.output[0] as number;
  return {
    batch,
    groups,
    channels: inputs / groups,
    groupOut: outputs / groups,
    window,
    taps: sizeOf(window.kernel),
    inputStep: sizeOf(spatial),
    outputStep,
    pixels: outputStep / depth,
    planes: batch * depth,
  };
}

export function gradientType(n: ConvNode): TensorType {
  const { groups, groupOut, channels, window } = gradientShape(n);
  return { dtype: n.input(0).dtype, dims: [groups * groupOut, channels, ...window.kernel.slice(3 - window.rank)] };
}

export function gradientReference(n: ConvNode, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const [x, dy] = inputs as [NDArray, NDArray];
  const { batch, groups, channels, groupOut, window, taps, inputStep, outputStep } = gradientShape(n);
  const { dtype, dims } = gradientType(n);
  const sums = new Float64Array(sizeOf(dims));
  forEachIndex(window.output, (at, pixel) => {
    forEachTap(window, at, (tap, offset) => {
      for (let image = 0; image < batch; image++) {
        for (let m = 0; m < groups * groupOut; m++) {
          const gradient = dy.data[(image * groups * groupOut + m) * outputStep + pixel] as number;
          const group = Math.floor(m / groupOut);
          for (let c = 0; c < channels; c++) {
            const value = x.data[((image * groups + group) * channels + c) * inputStep + offset] as number;
            const to = (m * channels + c) * taps + tap;
            sums[to] = (sums[to] as number) + gradient * value;
          }
        }
      }
    });
  });
  return [ndarray(dtype, dims, sums)];
}

export interface Sums {
  /** In front of a shader: declares what sums are written to, at binding 2. */
  readonly text: string;
  readonly bindings: Readonly<Record<string, Operand>>;
  /** What is to be done afterwards. */
  readonly after: readonly Dispatch[];
}

/**
 * Where sums go to that `splits` invocations each have a part of: to the output at once where that is all, else to scratch
 * [splits, size of the output] in f32. The shader calls `storeSum(split: u32, index: u32, value: f32)`.
 */
export function sumsOf(n: ConvNode, splits: number): Sums {
  const { dtype, dims } = n.output(0);
  const size = sizeOf(dims);
  const whole = splits === 1;
  const text = `
@group(0) @binding(2) var<storage, read_write> result: array<${whole ? 'elem' : 'f32'}>;
fn storeSum(split: u32, index: u32, value: f32) {
  result[${whole ? 'index' : `split * ${size}u + index`}] = ${whole ? 'elem(value)' : 'value'};
}
`;
  if (whole) return { text, bindings: { result: { output: 0 } }, after: [] };
  const parts: Operand = { scratch: 'parts', bytes: 4 * splits * size };
  const sum: Dispatch = {
    label: 'ConvWeightGradient.sum',
    wgsl: elemAliases(dtype) + linearHelpers + sumText,
    constants: { WORKGROUP: workgroup },
    bindings: { parts, result: { output: 0 } },
    uniforms: { splits, size },
    workgroups: oneEach(size, workgroup),
  };
  return { text, bindings: { result: parts }, after: [sum] };
}

/** What storing and adding up the parts adds to a cost. The workgroups stay those of the sums, which are most of it. */
export function withSums(n: ConvNode, splits: number, cost: Cost): Cost {
  const size = sizeOf(gradientType(n).dims);
  if (splits === 1) return { ...cost, traffic: cost.traffic + 4 * size };
  return {
    ...cost,
    flops: cost.flops + size * (splits + 20),
    traffic: cost.traffic + 4 * size * (2 * splits + 1),
    dispatches: 2,
  };
}
