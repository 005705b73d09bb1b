// Tensors as the page's parts hand them to each other: anything of this form, Lepton's own Tensor included.

import type { DType } from './dtype';

/** What every typed array has, Float16Array included where the platform knows it. */
export interface TypedArray extends ArrayBufferView {
  readonly length: number;
  readonly BYTES_PER_ELEMENT: number;
  /** 'Float32Array' … */
  readonly [Symbol.toStringTag]: string;
  [index: number]: number | bigint;
}

export interface TensorLike {
  readonly type: DType;
  readonly dims: readonly number[];
  /** In row-major order, in the typed array that a Tensor of this type takes. */
  readonly data: TypedArray;
}
