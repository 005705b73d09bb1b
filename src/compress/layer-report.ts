// What became of a layer's weights: form, bytes and zeros before and after, and how far they are apart.

import { isFloat } from '../base/dtype';
import { encode, type NDArray } from '../base/ndarray';
import type { Value } from '../ir/graph';
import { sparseForm } from '../write/sparse';
import { relative } from './calibrate';
import { arrayOf, type StoredConstants } from './constants';
import { asHalf } from './half';
import type { Layer } from './layers';
import type { Kept } from './rewrite';
import type { CompressReport, LayerReport, WeightForm } from './types';

export interface Outcome {
  readonly layer: Layer;
  /** The weights as the model has them. */
  readonly value: Value | undefined;
  readonly stored: StoredConstants;
  /** Names of constants that were sparse in the file. */
  readonly wasSparse: ReadonlySet<string>;
  /** Whether the whole model has become float16. */
  readonly isHalf: boolean;
  /** What has taken their place, and the numbers that it stands for; undefined where they stayed. */
  readonly kept: Kept | undefined;
  readonly stand: Float32Array | undefined;
}

export function layerReport({ layer, value, stored, wasSparse, isHalf, kept, stand }: Outcome): LayerReport {
  const { name, op, weight, dims, dtype, left } = layer;
  const constants = layer.held?.constants ?? (value?.constant ? [value] : []);
  const arrays = constants.map((constant) => arrayOf(constant, stored));
  const form = arrays[0]?.dtype ?? dtype;
  const now = kept ?? { form, constants: arrays };
  const data: ArrayLike<number> = (layer.held?.weights ?? arrays[0])?.data ?? [];
  let [apart, whole] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const own = data[i] as number;
    apart += (own - ((stand ?? data)[i] as number)) ** 2;
    whole += own ** 2;
  }
  return {
    ...{ name, op, weight, shape: dims, elements: data.length },
    before: weightForm(form, arrays, countNonZeros(data), wasSparse.has(constants[0]?.name ?? '')),
    after: weightForm(
      isHalf && isFloat(form) ? 'float16' : now.form,
      isHalf ? now.constants.map(asHalf) : now.constants,
      countNonZeros(stand ?? data),
      true,
    ),
    weightError: relative(apart, whole),
    ...(left !== undefined && { left }),
  };
}

export function totalsOf(layers: readonly LayerReport[]): CompressReport['weights'] {
  const sum = (of: (layer: LayerReport) => number) => layers.reduce((total, layer) => total + of(layer), 0);
  const both = (of: (form: WeightForm) => number) => ({
    before: sum(({ before }) => of(before)),
    after: sum(({ after }) => of(after)),
  });
  return { elements: sum(({ elements }) => elements), nonZeros: both((f) => f.nonZeros), bytes: both((f) => f.bytes) };
}

/** @param constants the weights, then scales and such */
function weightForm(form: string, constants: readonly NDArray[], nonZeros: number, maySparse: boolean): WeightForm {
  const [weights, ...others] = constants;
  const sparse = maySparse && weights ? sparseForm(weights) : undefined;
  const bytes = [
    sparse?.bytes ?? (weights ? encode(weights).length : 0),
    ...others.map((c) => sparseForm(c)?.bytes ?? encode(c).length),
  ];
  return { form: `${form}${sparse ? ', sparse' : ''}`, bytes: bytes.reduce((a, b) => a + b), nonZeros };
}

function countNonZeros(data: ArrayLike<number>): number {
  let count = 0;
  for (let i = 0; i < data.length; i++) if (data[i] !== 0) count++;
  return count;
}
