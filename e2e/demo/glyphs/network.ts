// The demo's glyph detector as a trainable network: three strided convolutions to stride 8, two residual
// blocks, and a 1×1 head. In: planar RGB, normalised. Out: 12 planes at an eighth of the size, before any
// activation: presence, 5 classes, 4 box terms, 2 unused (the head is padded to a multiple of 4 rows for
// the matrix product; the export drops them).

import { addOuter, type ConvShape, col2im, im2col, multiply, outputPlane, type Plane } from './layers';
import type { Random } from './scene';

export const headRows = 12;
/** First row of each part of the head; presence has one row, classes five, the box four. */
export const rows = { presence: 0, classes: 1, box: 6 } as const;

interface LayerSpec extends ConvShape {
  readonly name: string;
  readonly relu: boolean;
  /** Index of the layer whose output is added before the activation. */
  readonly residual?: number;
}

const trunk = 28;
const block = { inputs: trunk, outputs: trunk, kernel: 3, stride: 1, relu: true } as const;

export const layers: readonly LayerSpec[] = [
  { name: 'stem', inputs: 3, outputs: 12, kernel: 3, stride: 2, relu: true },
  { name: 'down4', inputs: 12, outputs: 20, kernel: 3, stride: 2, relu: true },
  { name: 'down8', inputs: 20, outputs: trunk, kernel: 3, stride: 2, relu: true },
  { name: 'block1.a', ...block },
  { name: 'block1.b', ...block, residual: 2 },
  { name: 'block2.a', ...block },
  { name: 'block2.b', ...block, residual: 4 },
  { name: 'neck', inputs: trunk, outputs: 32, kernel: 1, stride: 1, relu: true },
  { name: 'head', inputs: 32, outputs: headRows, kernel: 1, stride: 1, relu: false },
];

export interface Layer {
  readonly spec: LayerSpec;
  /** [outputs, inputs, kernel, kernel], as ONNX Conv has it. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
  readonly weightGrad: Float32Array;
  readonly biasGrad: Float32Array;
}

/** He-initialised; the second convolution of a block starts small, so that blocks start near identity. */
export function createNetwork(next: Random): Layer[] {
  const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return layers.map((spec) => {
    const fan = spec.inputs * spec.kernel * spec.kernel;
    const deviation = Math.sqrt(2 / fan) * (spec.residual === undefined ? 1 : 0.3) * (spec.relu ? 1 : 0.3);
    const weight = Float32Array.from({ length: spec.outputs * fan }, () => normal() * deviation);
    const bias = new Float32Array(spec.outputs);
    if (spec.name === 'head') bias[rows.presence] = -3; // most cells hold nothing
    return { spec, weight, bias, weightGrad: new Float32Array(weight.length), biasGrad: new Float32Array(bias.length) };
  });
}

interface Trace {
  readonly columns: readonly Float32Array[];
  /** planes[0] is the input, planes[i + 1] the output of layer i. */
  readonly planes: readonly Plane[];
}

export function forward(network: readonly Layer[], input: Plane): Trace {
  const planes: Plane[] = [input];
  const columns: Float32Array[] = [];
  for (const { spec, weight, bias } of network) {
    const from = planes.at(-1)!;
    const out = outputPlane(spec, from);
    const patches = im2col(spec, from, out);
    multiply(weight, patches, out.data, spec.outputs, out.height * out.width, spec.inputs * spec.kernel ** 2, bias);
    const added = spec.residual === undefined ? undefined : planes[spec.residual + 1]!.data;
    for (let i = 0; i < out.data.length; i++) {
      const v = out.data[i]! + (added ? added[i]! : 0);
      out.data[i] = spec.relu && v < 0 ? 0 : v;
    }
    planes.push(out);
    columns.push(patches);
  }
  return { columns, planes };
}

/** Adds the parameters' gradients for one picture, given the gradient of the head's output. */
export function backward(network: readonly Layer[], trace: Trace, headGrad: Float32Array): void {
  const grads = trace.planes.map((plane, i) => (i === network.length ? headGrad : new Float32Array(plane.data.length)));
  for (let l = network.length - 1; l >= 0; l--) {
    const { spec, weight, weightGrad, biasGrad } = network[l]!;
    const [from, out] = [trace.planes[l]!, trace.planes[l + 1]!];
    const grad = grads[l + 1]!;
    const n = out.height * out.width;
    if (spec.relu) for (let i = 0; i < grad.length; i++) if (out.data[i] === 0) grad[i] = 0;
    if (spec.residual !== undefined) {
      const shortcut = grads[spec.residual + 1]!;
      for (let i = 0; i < grad.length; i++) shortcut[i]! += grad[i]!;
    }
    const k = spec.inputs * spec.kernel ** 2;
    addOuter(grad, trace.columns[l]!, weightGrad, spec.outputs, n, k);
    for (let m = 0; m < spec.outputs; m++) for (let i = 0; i < n; i++) biasGrad[m]! += grad[m * n + i]!;
    if (l > 0) propagate(spec, weight, grad, from, out, grads[l]!);
  }
}

function propagate(
  spec: LayerSpec,
  weight: Float32Array,
  grad: Float32Array,
  from: Plane,
  out: Plane,
  into: Float32Array,
) {
  const n = out.height * out.width;
  const k = spec.inputs * spec.kernel ** 2;
  const transposed = new Float32Array(weight.length);
  for (let m = 0; m < spec.outputs; m++)
    for (let i = 0; i < k; i++) transposed[i * spec.outputs + m] = weight[m * k + i]!;
  const columns = new Float32Array(k * n);
  multiply(transposed, grad, columns, k, n, spec.outputs);
  if (spec.kernel === 1) for (let i = 0; i < columns.length; i++) into[i]! += columns[i]!;
  else col2im(spec, columns, from, out, into);
}
