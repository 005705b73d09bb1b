// A Plan: everything a run does, as plain data. It can be printed, compared, cloned and cached, and run
// by anything that has a GPUDevice and the model's files. Indexes refer to the arrays of the Plan itself.

import type { DeviceTensor } from '../base/device-form';
import type { DeviceType, DType } from '../base/dtype';
import type { ChosenBy, Sparsity } from '../base/tuning';
import type { StoredBytes } from '../ir/graph';

export type { StoredBytes };

export interface Plan {
  readonly name: string;
  readonly buffers: readonly PlanBuffer[];
  readonly pipelines: readonly PlanPipeline[];
  /** The uniform structs of all steps, each at a multiple of 256 bytes. */
  readonly uniforms: Uint8Array<ArrayBuffer>;
  readonly uploads: readonly PlanUpload[];
  /** Done once, after the uploads: packs and folds constants. */
  readonly init: readonly PlanStep[];
  /** Done by every run. */
  readonly steps: readonly PlanStep[];
  readonly inputs: readonly PlanTensor[];
  /** What outlives the plan and may be overwritten by its steps: weights in training, for one. */
  readonly variables: readonly PlanTensor[];
  readonly outputs: readonly PlanTensor[];
  readonly nodes: readonly PlanNode[];
  readonly memory: MemoryReport;
}

/**
 * `weight` holds its contents for the plan's life; `init` is gone after the init steps; `slot` is shared
 * by values whose lifetimes do not meet; `input` and `output` may be replaced by a caller's buffer; a `variable` is
 * always a caller's.
 */
export type BufferRole = 'weight' | 'init' | 'slot' | 'input' | 'output' | 'variable';

export interface PlanBuffer {
  readonly role: BufferRole;
  readonly bytes: number;
  readonly label: string;
  /** Where it is no buffer of its own, but a stretch of another: that one, and the byte at which it begins. */
  readonly within?: { readonly buffer: number; readonly offset: number };
}

export interface PlanPipeline {
  readonly label: string;
  readonly wgsl: string;
  readonly constants: Readonly<Record<string, number>>;
  readonly bindings: readonly { readonly binding: number; readonly access: 'read' | 'read_write' | 'uniform' }[];
}

export type PlanStep =
  | {
      readonly kind: 'dispatch';
      readonly pipeline: number;
      /** Buffer of each of the pipeline's storage bindings, in their order. */
      readonly buffers: readonly number[];
      readonly uniform: { readonly offset: number; readonly bytes: number } | undefined;
      readonly workgroups: readonly [number, number, number];
      readonly node: number;
    }
  | {
      readonly kind: 'copy';
      readonly from: number;
      readonly to: number;
      readonly bytes: number;
      readonly node: number;
    };

/** Fills a buffer, from a file or from bytes that are already in device form. */
export interface PlanUpload {
  readonly buffer: number;
  readonly tensor: string;
  readonly from: DType;
  readonly to: DeviceType;
  readonly source: StoredBytes | Uint8Array<ArrayBuffer>;
}

/** An input or output; `dtype` is its type at the border. */
export interface PlanTensor extends DeviceTensor {
  readonly buffer: number;
}

export interface PlanNode {
  readonly name: string;
  /** Operator, with those fused into it: 'Conv+Relu'. */
  readonly op: string;
  /** Variant with its tunables: 'implicitGemm tileM=64'. */
  readonly kernel: string;
  /** How the variant was found; absent for what no variant was chosen for. */
  readonly chosenBy?: ChosenBy;
  /** Where weights are mostly zeros. */
  readonly sparsity?: Sparsity;
  readonly flops: number;
  /** Bytes of the node's inputs and outputs, each counted once. */
  readonly bytes: number;
}

export interface MemoryReport {
  readonly weightBytes: number;
  /** What the slots take. */
  readonly slotBytes: number;
  /** Most bytes of intermediate values alive at once: no plan can take less. */
  readonly peakLiveBytes: number;
}
