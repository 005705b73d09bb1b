// The contract of a layer: everything Lepton knows about one of Keras's layers, in one object. Layers describe their
// weights and shapes without a graph, and add their nodes to one once the batch is known.

import { invalid, type Options, type OptionsOf } from '../base/options';
import type { LowerBuilder } from '../ir/opdef';
import { Formula } from '../ops/gradient';
import type { Tensor } from './tensor';
import type { Named, Shape } from './types';

export interface WeightSpec {
  /** Within the layer: 'kernel'. */
  readonly name: string;
  readonly dims: readonly number[];
  readonly initializer: Named;
  readonly regularizer?: Named | undefined;
  /** False for what is no parameter, as the moving averages of a batch normalisation. */
  readonly trainable?: boolean;
}

export interface LayerDef<O extends Options = Options> {
  /** As in Keras. */
  readonly className: string;
  readonly options: O;
  /** Fewest and most inputs; default 1 each. */
  readonly arity?: readonly [number, number];
  /** Takes integers as they are; other layers are given floats. */
  readonly integers?: boolean;
  weights?(layer: Sized<O>): WeightSpec[];
  outputShape(layer: Sized<O>): Shape;
  /** The only batch that the layer takes; without it any. */
  batch?(layer: Sized<O>): number;
  call(layer: Call<O>): Tensor;
}

export function defineLayer<O extends Options>(layer: LayerDef<O>): LayerDef<O> {
  return layer;
}

/** A layer with its options read, and what it is applied to. */
export class Sized<O extends Options = Options> {
  constructor(
    readonly name: string,
    readonly className: string,
    readonly config: OptionsOf<O>,
    /** Of the inputs, batch included. */
    readonly shapes: readonly Shape[],
    /** For layers around others. */
    readonly layerOf: (className: string) => LayerDef,
  ) {}

  /** Of the only input. */
  get shape(): Shape {
    return this.shapes[0] as Shape;
  }

  /** The size of an axis (from the end where negative), which must be known. */
  size(axis: number, shape = this.shape): number {
    const size = shape.at(axis);
    return size ?? this.fail(`needs to know the size of axis ${axis < 0 ? axis + shape.length : axis} of its input`);
  }

  /** @param form the axes of the input, as '[batch, height, width, channels]' */
  requireRank(rank: number, form: string): void {
    if (this.shape.length !== rank) this.fail(`needs an input ${form}`);
  }

  fail(problem: string): never {
    const got = this.shapes.map(formatShape).join(', ');
    invalid(`Layer "${this.name}" (${this.className}) ${problem}, but got ${got || 'nothing'}.`, {
      layer: this.name,
      className: this.className,
      inputShapes: this.shapes,
    });
  }
}

/** A layer that adds its nodes. */
export class Call<O extends Options = Options> extends Sized<O> {
  readonly f: Formula;

  constructor(
    sized: Sized<O>,
    readonly b: LowerBuilder,
    readonly inputs: readonly Tensor[],
    /** The value of a weight of this layer. */
    readonly weight: (name: string) => string,
    readonly training: boolean,
    /** False where the layer is frozen. */
    readonly trainable: boolean,
    /** A value int32[1] that each step has another of, and a number that no other draw of the model has. */
    readonly draw: () => { readonly seed: string; readonly salt: number },
    /** Gives a weight of this layer its next value. */
    readonly update: (weight: string, value: string) => void,
  ) {
    super(sized.name, sized.className, sized.config, sized.shapes, sized.layerOf);
    this.f = new Formula(b, 'float32');
  }

  get input(): Tensor {
    return this.inputs[0] as Tensor;
  }
}

export function formatShape(shape: Shape): string {
  return `[${shape.map((size) => size ?? 'null').join(', ')}]`;
}
