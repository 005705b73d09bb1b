// A value between layers. Its axes are in Keras's order, the channels last; convolutions want them in front (NCHW). So a
// value is kept in the order it was made in, and changed only where a layer needs the other: a chain of convolutions,
// poolings, activations and normalisations moves nothing.

import { int64s } from '../base/ndarray';
import { type Dims, sameDims } from '../base/shape';
import type { LowerBuilder } from '../ir/opdef';

/** What a softmax or a sigmoid was made from: losses on it are computed from this, which loses no digits. */
export interface Logits<T = string> {
  readonly activation: 'softmax' | 'sigmoid';
  readonly value: T;
}

export class Tensor {
  private constructor(
    private readonly b: LowerBuilder,
    /** In Keras's order, batch first. */
    readonly dims: Dims,
    private plainName: string | undefined,
    private firstName: string | undefined,
    readonly logits?: Logits<Tensor>,
  ) {}

  static plain(b: LowerBuilder, name: string): Tensor {
    return new Tensor(b, b.type(name).dims, name, undefined);
  }

  /** @param name of a value [batch, channels, spatial…] */
  static channelsFirst(b: LowerBuilder, name: string): Tensor {
    const [batch, channels, ...spatial] = b.type(name).dims as [number, number, ...number[]];
    return new Tensor(b, [batch, ...spatial, channels], undefined, name);
  }

  get rank(): number {
    return this.dims.length;
  }

  /** The value in Keras's order. */
  plain(): string {
    const spatial = this.dims.map((_, i) => i + 1).slice(1, -1);
    this.plainName ??= permuted(this.b, this.firstName as string, [0, ...spatial, 1]);
    return this.plainName;
  }

  /** The value as [batch, channels, spatial…]. */
  channelsFirst(): string {
    const spatial = this.dims.map((_, i) => i).slice(1, -1);
    this.firstName ??= permuted(this.b, this.plainName as string, [0, this.rank - 1, ...spatial]);
    return this.firstName;
  }

  /** Whether the value is at hand with its channels in front only. */
  get isFirst(): boolean {
    return this.plainName === undefined;
  }

  /** The value in whichever order it is at hand: for what treats every element alike. */
  get either(): string {
    return this.plainName ?? (this.firstName as string);
  }

  /** Where the axis of Keras's order is in `either`. */
  axis(axis: number): number {
    if (!this.isFirst || axis === 0) return axis;
    return axis === this.rank - 1 ? 1 : axis + 1;
  }

  /** What was made of `either`, element by element. */
  like(name: string, logits?: Logits<Tensor>): Tensor {
    return this.isFirst
      ? new Tensor(this.b, this.dims, undefined, name, logits)
      : new Tensor(this.b, this.dims, name, undefined, logits);
  }
}

/** A transposition; where only axes of size 1 move, another shape for the same elements. */
export function permuted(b: LowerBuilder, name: string, perm: readonly number[]): string {
  const { dims } = b.type(name);
  if (perm.every((axis, i) => axis === i)) return name;
  const real = perm.filter((axis) => dims[axis] !== 1);
  const ordered = real.every((axis, i) => i === 0 || axis > (real[i - 1] as number));
  if (ordered) {
    return reshaped(
      b,
      name,
      perm.map((axis) => dims[axis] as number),
    );
  }
  return b.add('Transpose', [name], { perm })[0] as string;
}

export function reshaped(b: LowerBuilder, name: string, dims: Dims): string {
  if (sameDims(b.type(name).dims, dims)) return name;
  return b.add('Reshape', [name, b.constant(int64s(dims))], { allowzero: 1 })[0] as string;
}
