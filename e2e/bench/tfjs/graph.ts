// A model in the form that the benchmark's TF.js page reads: a graph as JSON and its constants in one file, as
// TF.js has its own models. Types only, and the one rule about element types: TF.js has no 64-bit integers.

import type { DType } from '../../../src/base/dtype';

export interface TfGraph {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly constants: readonly TfConstant[];
  readonly nodes: readonly TfNode[];
}

export interface TfConstant {
  readonly name: string;
  readonly dtype: TfDType;
  readonly dims: readonly number[];
  /** Bytes in the file of constants. */
  readonly offset: number;
  readonly length: number;
}

export interface TfNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
  /** Done by the node's own kernel, where TF.js has one that does. */
  readonly activation?: Activation;
}

export type Activation = 'relu' | 'relu6';
export type TfDType = 'float32' | 'int32';

export function tfDTypeOf(dtype: DType): TfDType {
  if (dtype === 'float32') return 'float32';
  if (dtype === 'int64' || dtype === 'int32') return 'int32';
  throw new Error(`TF.js has no ${dtype} on WebGPU.`);
}
