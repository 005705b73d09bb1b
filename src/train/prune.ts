// Pruning of a model under training: the weights that matter least become zero, and with them what the optimiser keeps of
// them, so that no momentum moves them on. That they stay zero is the step's business (step.ts).

import { LeptonError } from '../base/errors';
import { sizeOf } from '../base/shape';
import { checkOptions } from '../compress/options';
import { type Prunable, prune } from '../compress/prune';
import type { PruneOptions } from '../compress/types';
import type { ModelDescription, WeightInfo } from '../nn/types';

export interface Pruned {
  /** Weights that are pruned from now on. */
  readonly weights: readonly string[];
  /** Them, and what is kept of them, by name. */
  readonly state: ReadonlyMap<string, Float32Array>;
}

/**
 * @param state weights and what the optimiser keeps, by name
 * @throws INVALID_ARGUMENT for options that make no sense, or that no weight of the model fits
 */
export function pruneWeights(
  description: ModelDescription,
  state: ReadonlyMap<string, Float32Array>,
  options: PruneOptions,
): Pruned {
  const { prune: pruning } = checkOptions({ prune: options });
  if (!pruning) throw new LeptonError('INVALID_ARGUMENT', 'prune(): give a sparsity, or a structure such as "2:4".');
  if (pruning.criterion !== 'magnitude') {
    throw new LeptonError('INVALID_ARGUMENT', 'prune(): a model under training is pruned by magnitude only.');
  }
  // Rows and blocks are of outputs by inputs, which windows of convolutions are not.
  const found = kernelsOf(description).filter(({ dims }) => pruning.structure === 'unstructured' || dims.length === 2);
  const known = found.flatMap(namesOf);
  const other = Object.keys(typeof pruning.sparsity === 'object' ? pruning.sparsity : {}).find(
    (n) => !known.includes(n),
  );
  if (found.length === 0 || other !== undefined) {
    const problem = other === undefined ? 'the model has no weights' : `"${other}" is no layer with weights`;
    throw new LeptonError(
      'INVALID_ARGUMENT',
      `prune(): ${problem} that can be pruned to the structure "${pruning.structure}"; kernels can: ${known.join(', ') || 'there are none'}.`,
    );
  }
  const layers = found.map((weight): Prunable => {
    const rows = weight.dims.at(-1) as number;
    const view = { rows, columns: sizeOf(weight.dims) / rows, rowStride: 1, columnStride: rows };
    return { names: namesOf(weight), view, weights: state.get(weight.name) as Float32Array };
  });
  const changed = new Map<string, Float32Array>();
  const weights: string[] = [];
  prune(layers, pruning).forEach((own, i) => {
    const { name } = found[i] as WeightInfo;
    if (!own) return;
    weights.push(name);
    changed.set(name, own);
    for (const [kept, values] of state) {
      if (kept.startsWith(`${name}/`) && values.length === own.length) {
        changed.set(
          kept,
          values.map((value, at) => (own[at] === 0 ? 0 : value)),
        );
      }
    }
  });
  return { weights, state: changed };
}

/** Kernels that learn, but for those of depthwise convolutions, which are few and all needed. */
function kernelsOf({ weights, layers }: ModelDescription): WeightInfo[] {
  const depthwise = new Set(layers.flatMap((l) => (l.className.startsWith('Depthwise') ? [l.name] : [])));
  return weights.filter(({ name, dims, trainable }) => {
    return trainable && dims.length >= 2 && /kernel$/i.test(name) && !depthwise.has(layerOf(name));
  });
}

const layerOf = (name: string) => name.slice(0, name.indexOf('/'));

const namesOf = ({ name }: WeightInfo) => [name, layerOf(name)];
