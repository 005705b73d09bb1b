// Pruning of a model under training: the weights that matter least become zero, and with them what the optimiser keeps of
// them, so that no momentum moves them on. That they stay zero is the step's business (step.ts).

import { LeptonError } from '../base/errors';
import { checkOptions, type Pruning } from '../compress/options';
import { type Prunable, prune } from '../compress/prune';
import type { PruneOptions, PruneReport } from '../compress/types';
import type { ModelSpec } from '../nn/types';
import { type Candidate, candidatesOf } from './prunable';

export interface Pruned {
  readonly report: PruneReport;
  /** Them, and what is kept of them, by name. */
  readonly state: ReadonlyMap<string, Float32Array>;
}

/**
 * @param state weights and what the optimiser keeps, by name
 * @throws INVALID_ARGUMENT for options that make no sense, or that no weight of the model fits
 */
export function pruneWeights(spec: ModelSpec, state: ReadonlyMap<string, Float32Array>, options: PruneOptions): Pruned {
  const { prune: pruning } = checkOptions({ prune: options });
  if (!pruning) throw invalid('give a sparsity, or a structure such as "2:4"');
  if (pruning.criterion !== 'magnitude') throw invalid('a model under training is pruned by magnitude only');
  const all = candidatesOf(spec).map((weight) => fitted(weight, pruning.structure));
  checkNames(all, pruning);
  const found = all.filter(({ left }) => left === undefined);
  const layers = found.map((weight): Prunable => {
    return { names: namesOf(weight), view: weight.view, weights: placed(weight, stateOf(state, weight)) };
  });
  const changed = new Map<string, Float32Array>();
  const pruned: Record<string, number> = {};
  const left = Object.fromEntries(all.flatMap(({ name, left }) => (left === undefined ? [] : [[name, left]])));
  prune(layers, pruning).forEach((matrix, i) => {
    const weight = found[i] as Candidate;
    const { name } = weight;
    if (!matrix) {
      left[name] = 'no share is given for it';
      return;
    }
    pruned[name] = matrix.reduce((zeros, value) => zeros + Number(value === 0), 0) / matrix.length;
    const own = withdrawn(weight, matrix, stateOf(state, weight));
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
  return { report: { pruned, left }, state: changed };
}

/** Rows, blocks and N:M are of outputs by inputs, which windows of convolutions are not. */
function fitted(weight: Candidate, structure: Pruning['structure']): Candidate {
  const { dims } = weight;
  if (weight.left !== undefined || structure === 'unstructured' || dims.length === 2) return weight;
  return {
    ...weight,
    left: `the structure "${structure}" is of weights with two axes, and it has [${dims.join(', ')}]`,
  };
}

function checkNames(all: readonly Candidate[], { sparsity, structure }: Pruning): void {
  const why = ({ name, left }: Candidate) => `"${name}" stays: ${left}`;
  const found = all.filter(({ left }) => left === undefined);
  if (found.length === 0) {
    throw invalid(`the model has no weights that can be pruned. ${all.map(why).join('; ') || 'It has no kernels'}`);
  }
  for (const name of Object.keys(typeof sparsity === 'object' ? sparsity : {})) {
    const meant = all.filter((weight) => namesOf(weight).includes(name));
    if (meant.some(({ left }) => left === undefined)) continue;
    const problem = meant.map(why).join('; ') || `"${name}" is no layer or weight that can be pruned`;
    const known = [...new Set(found.flatMap(namesOf))].join(', ');
    throw invalid(`${problem}; there are ${known}`, { name, weights: meant.map((weight) => weight.name), structure });
  }
}

const namesOf = ({ name, layer }: Candidate) => [name, layer];

const stateOf = (state: ReadonlyMap<string, Float32Array>, { name }: Candidate) => state.get(name) as Float32Array;

/** The weight as its node takes it. */
function placed({ places }: Candidate, own: Float32Array): Float32Array {
  return places ? Float32Array.from(places, (place) => (place === 0 ? 0 : (own[place - 1] as number))) : own;
}

/** The weight as it is kept, with the zeros of what its node takes. */
function withdrawn({ places }: Candidate, matrix: Float32Array, own: Float32Array): Float32Array {
  if (!places) return matrix;
  const kept = own.slice();
  places.forEach((place, i) => {
    if (place > 0) kept[place - 1] = matrix[i] as number;
  });
  return kept;
}

function invalid(problem: string, details: Readonly<Record<string, unknown>> = {}): LeptonError {
  return new LeptonError('INVALID_ARGUMENT', `prune(): ${problem}.`, { details });
}
