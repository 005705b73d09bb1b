// What a caller can know of a model's inputs and outputs before running it.
import type { DType } from './dtype';

export interface TensorInfo {
  readonly name: string;
  readonly type: DType;
  /** A string names a dimension that each run decides; runs must agree within one call. */
  readonly shape: readonly (number | string)[];
}
