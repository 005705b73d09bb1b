// What the benchmark's pages and the command that drives them say to each other, and the one interface behind
// which every runtime stands in its page. Types, and two names.

import type { DType } from '../../../src/base/dtype';
import type { ModelSpec } from '../../../src/nn/types';
import type { TrainingLoss } from '../cases/training';

/** A tensor as the server has it: packed little-endian elements at `url`. */
export interface TensorFile {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly url: string;
}

/** One case as a page sees it: `case.json` of the case's folder on the server. */
export interface CaseFiles {
  readonly name: string;
  /** Feeds stay on the GPU, and a run ends when the 4 bytes of output `probe` have been read. */
  readonly resident: boolean;
  /** Largest error allowed relative to an output's scale. */
  readonly tolerance: number;
  readonly model: string;
  /** Folder of the same model as tfjs/graph.ts has it; absent where it does not convert. */
  readonly graph?: string;
  readonly feeds: readonly TensorFile[];
  /** What the oracle answered, as float32. */
  readonly expected: readonly TensorFile[];
}

/** The same of a case that trains. */
export interface TrainingFiles {
  readonly name: string;
  readonly tolerance: number;
  readonly training: Training;
  /** By name 'layer/weight', in Keras's shapes. */
  readonly weights: readonly TensorFile[];
  /** The batch: x, then y. */
  readonly feeds: readonly TensorFile[];
  /** `losses`: those of the first steps. */
  readonly expected: readonly TensorFile[];
}

/** The optimiser is Adam, with Keras's defaults but for the learning rate. */
export interface Training {
  readonly spec: ModelSpec;
  readonly loss: TrainingLoss;
  readonly learningRate: number;
}

/** Steps whose losses are compared before any is timed. */
export const checkedSteps = 3;

export interface Feed {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export interface Answer {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

/** A case that a runtime has ready to run. */
export interface OpenCase {
  /** Runs once; answers every output, for the check. */
  outputs(): Promise<Readonly<Record<string, Answer>>>;
  /** Waits for what the runtime does by itself after a first run, so that it is not done while another is timed. */
  settled?(): Promise<void>;
  /** What is timed: one run, to the end of the last read-back. */
  run(): Promise<void>;
  dispose(): Promise<void> | void;
  readonly memory?: PlanMemory;
  /** What the plan to go on with computes with, node by node; once it has settled. */
  kernels?(): readonly string[];
}

/** Bytes of GPU memory for what a run computes: allocated, and alive at once at most; and for weights. */
export interface PlanMemory {
  readonly weightBytes: number;
  readonly slotBytes: number;
  readonly peakLiveBytes: number;
}

export interface TrainingData {
  readonly weights: readonly Feed[];
  readonly x: Feed;
  readonly y: Feed;
}

/** A model under training. */
export interface TrainingRun {
  /** One step on the batch, fed from memory; answers its loss, read back. */
  step(): Promise<number>;
  dispose(): Promise<void> | void;
}

export interface OpenOptions {
  /** Whether the runtime may keep the model for the next visit, as far as it can. */
  readonly cache: boolean;
}

export interface Runtime<Files = CaseFiles> {
  /** What is worth telling in the results, such as the number of threads. */
  start(): Promise<string>;
  open(files: Files, feeds: readonly Feed[], options: OpenOptions): Promise<OpenCase>;
}

/** What `prepare` found: the largest error relative to the scale, and why the case cannot be timed, if so. */
export interface Prepared {
  readonly error?: number;
  readonly problem?: string;
  readonly memory?: PlanMemory;
  readonly kernels?: readonly string[];
}

/** The `performance.mark` that a page sets when the first answer is there. */
export const answeredMark = 'bench answered';

/** A visit's first answer. */
export interface FirstAnswer extends Prepared {
  /** Milliseconds since the navigation began. */
  readonly ms: number;
}

/** `globalThis.bench` of every page. */
export interface BenchPage {
  start(): Promise<string>;
  prepare(folder: string): Promise<Prepared>;
  /** Mean milliseconds of a run, of as many in a row as are worth timing. */
  time(): Promise<number>;
  /** Checks the answer once more: what was timed need not be what ran first. */
  verify(): Promise<Prepared>;
  dispose(): Promise<void>;
  /** Set where the page was asked for one answer at once (`?case=FOLDER`). */
  firstAnswer?: Promise<FirstAnswer>;
}
