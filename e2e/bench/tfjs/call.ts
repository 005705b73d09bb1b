// How the TF.js page's operators are called, and the little that they share.

import type * as tf from '@tensorflow/tfjs-core';
import type { TfNode } from './graph';
import { inOnnxOrder, type TfValue } from './values';

export interface TfCall extends Pick<TfNode, 'attributes' | 'activation'> {
  /** undefined stands for an absent optional input. */
  readonly inputs: readonly (TfValue | undefined)[];
  /** How many outputs there are. */
  readonly outputs: number;
  /** Elements of the constant inputs that say what to do, such as axes and shapes. */
  readonly known: readonly (readonly number[] | undefined)[];
  /** Keeps what is computed from constants alone for the next run. */
  prepared(what: string, make: () => tf.Tensor): tf.Tensor;
}

/** Takes the values of a node's inputs, answers those of its outputs. */
export type TfOperator = (call: TfCall) => readonly TfValue[];

/** The first input in ONNX's order of axes. */
export function first({ inputs }: TfCall): tf.Tensor {
  return inOnnxOrder(inputs[0] as TfValue);
}

export function number(value: TfNode['attributes'][string] | undefined, fallback: number): number {
  return typeof value === 'number' ? value : fallback;
}

/** Axes as an input or, before opset 13, as an attribute; counted from the front. */
export function axesOf({ known, attributes }: TfCall, rank: number): number[] | undefined {
  const axes = known[1] ?? (attributes.axes as readonly number[] | undefined);
  return axes?.map((axis) => (axis < 0 ? axis + rank : axis));
}
