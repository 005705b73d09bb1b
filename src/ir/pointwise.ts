// The contract of element-wise operators: each gives WGSL for four lanes at once, so that any chain of
// them can be generated as one kernel or appended to the kernel that computes their input.

import type { DType } from '../base/dtype';

export type PointwiseRule<A> = (p: PointwiseContext<A>) => PointwiseCode;

export interface PointwiseContext<A> {
  readonly attributes: A;
  /** Expressions of the arguments, each a vec4 of its compute type; undefined where absent. */
  readonly args: readonly (string | undefined)[];
  readonly argTypes: readonly (DType | undefined)[];
  /** Type of the result. */
  readonly dtype: DType;
  /** WGSL vector type of the result: vec4<f32>, vec4<i32>, vec4<u32> or vec4<bool>. */
  readonly vec: string;
}

export interface PointwiseCode {
  readonly expression: string;
  /** Helper functions by name, shared by all steps that ask for the same one. */
  readonly functions?: Readonly<Record<string, string>>;
}

/** One step of a program with its operator looked up and its attributes read. */
export interface ResolvedStep {
  readonly rule: PointwiseRule<unknown>;
  readonly attributes: unknown;
}
