// One point of the trade: a network compressed one way, run beside the original.

import {
  type Calibration,
  type CompressedModel,
  compress,
  type Quantization,
  type Structure,
} from '../../api/training';
import { lacksGpu } from '../alert';
import type { Subject } from './subjects';

export interface Setting {
  /** Share of the weights. */
  readonly zeros: number;
  readonly structure: Structure;
  readonly precision: 'float32' | Extract<Quantization, 'int8' | 'int4'>;
}

export interface Point extends Setting {
  readonly bytes: { readonly before: number; readonly after: number };
  /** What running both has shown, or why they were not run, in words. */
  readonly run: Run | string;
  readonly compressed: CompressedModel;
}

export interface Run {
  /** Milliseconds of a run. */
  readonly time: { readonly before: number; readonly after: number; readonly samplesPerRun: number };
  /** Accuracy where there are labels, else 1 − the error of the outputs, not below 0. */
  readonly quality: number;
  readonly accuracy?: { readonly before: number; readonly after: number };
  /** Largest relative error of an output. */
  readonly error: number;
}

export function nameOf({ zeros, structure, precision }: Setting): string {
  return `${zeros} ${structure} ${precision}`;
}

interface Hooks {
  readonly signal: AbortSignal;
  /** Gets what is being done, in words. */
  readonly onProgress: (text: string) => void;
}

/** Where the network cannot be run, it is compressed all the same. */
export async function measure(subject: Subject, setting: Setting, hooks: Hooks): Promise<Point> {
  const calibration = await subject.calibration();
  if (!calibration) {
    const why =
      'The page cannot make up inputs for this network, for it knows rows of samples only: time and answers stay open. Size, layers and the file do not need them.';
    return pointOf(setting, await make(subject, setting, hooks), why);
  }
  try {
    return pointOf(setting, await make(subject, setting, hooks, calibration));
  } catch (error) {
    if (!lacksGpu(error)) throw error;
    const why =
      'There is no GPU here, so time and accuracy stay open: size, layers and the file do not need one. With hardware acceleration turned on in a recent browser they are measured too.';
    return pointOf(setting, await make(subject, setting, hooks), why);
  }
}

function make(
  { source }: Subject,
  { zeros, structure, precision }: Setting,
  { signal, onProgress }: Hooks,
  calibration?: Calibration,
): Promise<CompressedModel> {
  return compress(source, {
    // Nothing to take away is measured too: the dense network beside itself.
    prune: { sparsity: zeros, structure },
    ...(precision !== 'float32' && { quantize: precision }),
    ...(calibration && { calibration }),
    signal,
    onProgress: ({ stage }) => onProgress(words[stage]),
  });
}

/** @param why there is no run, where there is none */
function pointOf(setting: Setting, compressed: CompressedModel, why = ''): Point {
  const { bytes, calibration } = compressed.report;
  if (!calibration) return { ...setting, bytes, run: why, compressed };
  const { accuracy, outputErrors, time } = calibration;
  const error = Math.max(...Object.values(outputErrors));
  const quality = accuracy ? accuracy.after : Math.max(0, 1 - error);
  return { ...setting, bytes, run: { time, ...(accuracy && { accuracy }), quality, error }, compressed };
}

const words = {
  download: 'Fetching the network',
  read: 'Reading the network',
  sensitivity: 'Looking at what each weight does',
  prune: 'Taking weights away',
  quantize: 'Rounding weights',
  calibrate: 'Comparing answers',
  time: 'Timing both in turns',
  write: 'Writing the file',
} as const;
