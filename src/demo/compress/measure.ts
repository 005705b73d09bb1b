// One point of the trade: a network compressed one way, run beside the original.

import { type CompressedModel, compress, type Quantization, type Structure } from '../../api/training';
import type { Subject } from './subjects';

export interface Setting {
  /** Share of the weights. */
  readonly zeros: number;
  readonly structure: Structure;
  readonly precision: 'float32' | Extract<Quantization, 'int8' | 'int4'>;
}

export interface Point extends Setting {
  readonly bytes: { readonly before: number; readonly after: number };
  /** Milliseconds of a run. */
  readonly time: { readonly before: number; readonly after: number; readonly samplesPerRun: number };
  /** Accuracy where there are labels, else 1 − the error of the outputs, not below 0. */
  readonly quality: number;
  readonly accuracy?: { readonly before: number; readonly after: number };
  /** Largest relative error of an output. */
  readonly error: number;
  readonly compressed: CompressedModel;
}

export function nameOf({ zeros, structure, precision }: Setting): string {
  return `${zeros} ${structure} ${precision}`;
}

/** @param onProgress gets what is being done, in words */
export async function measure(
  subject: Subject,
  setting: Setting,
  { signal, onProgress }: { signal: AbortSignal; onProgress: (text: string) => void },
): Promise<Point> {
  const { zeros, structure, precision } = setting;
  const compressed = await compress(subject.source, {
    // Nothing to take away is measured too: the dense network beside itself.
    prune: { sparsity: zeros, structure },
    ...(precision !== 'float32' && { quantize: precision }),
    calibration: await subject.calibration(),
    signal,
    onProgress: ({ stage }) => onProgress(words[stage]),
  });
  const { bytes, calibration } = compressed.report;
  if (!calibration) throw new Error('A compression with calibration has no report of it.');
  const { accuracy, outputErrors, time } = calibration;
  const error = Math.max(...Object.values(outputErrors));
  return {
    ...setting,
    bytes,
    time,
    ...(accuracy && { accuracy }),
    quality: accuracy ? accuracy.after : Math.max(0, 1 - error),
    error,
    compressed,
  };
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
