// One thing that the benchmark measures: a model, what is fed to it, and how much work it is at least.

import type { NDArray } from '../../../src/base/ndarray';

export interface BenchCase {
  readonly name: string;
  readonly group: 'matmul' | 'convolution' | 'network' | 'model' | 'chain' | 'bandwidth' | 'sparse';
  /** The bytes of an ONNX model; made when asked for, since some are large. */
  model(): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>;
  feeds(): Readonly<Record<string, NDArray>>;
  /** Floating-point operations that a run cannot do without, as far as they are worth telling. */
  readonly flops?: number;
  /** Bytes that a run must move at least: inputs read once, outputs written once. */
  readonly bytes?: number;
  /**
   * Kernels are timed with the feeds on the GPU, and reading back the 4 bytes of output `probe`. Networks
   * are timed as pages use them: fed from memory, all outputs read.
   */
  readonly resident: boolean;
  /** Largest error allowed relative to the output's scale. */
  readonly tolerance: number;
  /** Features of the adapter without which the case is left out. */
  readonly needs?: readonly string[];
}
