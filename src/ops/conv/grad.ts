// The backward rules of Conv and ConvTranspose. Each is the gradient of the other with respect to its input, and with
// x and dy exchanged they have one gradient with respect to the weights: lepton.ConvWeightGradient.

import { int64s } from '../../base/ndarray';
import type { AttributeValue } from '../../ir/graph';
import type { LowerBuilder } from '../../ir/opdef';
import type { Window } from '../window';
import { type ConvNode, convShape } from './shape';
import { type TransposeNode, transposeShape } from './transpose';

type Gradients = readonly (string | undefined)[];
type Found = (string | undefined)[];

export function convGrad(n: ConvNode, b: LowerBuilder, [dy]: Gradients): Found {
  if (dy === undefined) return [];
  const { window } = convShape(n);
  const [x, w] = n.node.inputs as [string, string];
  const attributes = { ...windowOf(window), group: n.attributes.group };
  // Inputs behind the last window.
  const left = ownAxes(window, (i) => size(window.input, i) - spanned(window.output, window, i) + bothPads(window, i));
  return [
    b.add('ConvTranspose', [dy, w], { ...attributes, output_padding: left })[0],
    b.add('lepton.ConvWeightGradient', [x, dy], attributes)[0],
    biasGradient(n, b, dy),
  ];
}

export function transposeGrad(n: TransposeNode, b: LowerBuilder, [dy]: Gradients): Found {
  if (dy === undefined) return [];
  const { window } = transposeShape(n);
  const [x, w] = n.node.inputs as [string, string];
  // Ends such that as many windows fit as there are inputs: fewer than none where the output was padded.
  const ends = [0, 1, 2].map((i) => spanned(window.input, window, i) - size(window.output, i) - size(window.begins, i));
  const attributes = { ...windowOf({ ...window, ends }), group: n.attributes.group };
  return [
    b.add('Conv', [dy, w], attributes)[0],
    b.add('lepton.ConvWeightGradient', [dy, x], attributes)[0],
    biasGradient(n, b, dy),
  ];
}

const size = (list: readonly number[], i: number) => list[i] as number;

const bothPads = ({ begins, ends }: Window, i: number) => size(begins, i) + size(ends, i);

/** Elements from the first that `windows` windows cover to the last. */
function spanned(windows: readonly number[], { kernel, strides, dilations }: Window, i: number): number {
  return (size(windows, i) - 1) * size(strides, i) + (size(kernel, i) - 1) * size(dilations, i) + 1;
}

/** Of the operator's own spatial axes. */
function ownAxes({ rank }: Window, of: (axis: number) => number): number[] {
  return Array.from({ length: rank }, (_, i) => of(3 - rank + i));
}

function windowOf(window: Window): Record<string, AttributeValue> {
  const { kernel, strides, dilations, begins, ends } = window;
  const own = (list: readonly number[]) => ownAxes(window, (i) => size(list, i));
  return {
    kernel_shape: own(kernel),
    strides: own(strides),
    dilations: own(dilations),
    pads: [...own(begins), ...own(ends)],
  };
}

function biasGradient(n: ConvNode | TransposeNode, b: LowerBuilder, dy: string): string | undefined {
  if (!n.has(2)) return undefined;
  const axes = b.type(dy).dims.flatMap((_, i) => (i === 1 ? [] : [i]));
  return b.add('ReduceSum', [dy, b.constant(int64s(axes))], { keepdims: 0 })[0];
}
