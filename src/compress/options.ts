// The options of a compression, checked and with their defaults: every mistake is told before anything is read.

import { LeptonError } from '../base/errors';
import type { CompressOptions, PruneOptions, Quantization, QuantizeOptions, Structure } from './types';

export interface Pruning {
  /** Undefined for N:M, which says it itself. */
  readonly sparsity: number | Readonly<Record<string, number>> | undefined;
  readonly structure: Structure;
  readonly scope: 'global' | 'layer';
  readonly criterion: 'magnitude' | 'sensitivity';
}

export interface CheckedOptions {
  readonly prune?: Pruning;
  readonly quantize?: Required<QuantizeOptions>;
  readonly skip: readonly (string | RegExp)[];
}

const structures = ['unstructured', 'balanced', '1x4', '4x1', '4x4'];
const quantizations: readonly Quantization[] = ['int8', 'int4', 'dynamic-int8', 'float16'];

/** @throws INVALID_ARGUMENT naming the option */
export function checkOptions(options: CompressOptions): CheckedOptions {
  known('', options, ['prune', 'quantize', 'skip']);
  const prune = options.prune === undefined ? undefined : pruning(options.prune);
  const quantize = options.quantize === undefined ? undefined : quantization(options.quantize);
  if (!prune && !quantize) refuse('give "prune", "quantize" or both: there is nothing to do');
  const { skip = [] } = options;
  if (!Array.isArray(skip) || !skip.every((s) => typeof s === 'string' || s instanceof RegExp)) {
    refuse('skip must be a list of names and regular expressions');
  }
  return { ...(prune && { prune }), ...(quantize && { quantize }), skip };
}

/** The N and M of 'N:M'; undefined for other structures. */
export function ratioOf(structure: string): { readonly n: number; readonly m: number } | undefined {
  const [, n, m] = /^(\d+):(\d+)$/.exec(structure) ?? [];
  return n === undefined ? undefined : { n: Number(n), m: Number(m) };
}

function pruning(given: number | PruneOptions): Pruning {
  const options: PruneOptions = typeof given === 'number' ? { sparsity: given } : given;
  known('prune', options, ['sparsity', 'structure', 'scope', 'criterion']);
  const { sparsity, structure = 'unstructured', criterion = 'magnitude' } = options;
  const ratio = ratioOf(structure);
  if (!ratio && !structures.includes(structure)) {
    refuse(`prune.structure must be ${list(structures)} or "N:M" such as "2:4", but is "${structure}"`);
  }
  if (ratio && !(ratio.n >= 1 && ratio.n < ratio.m)) {
    refuse(`prune.structure "${structure}" must keep at least 1, and fewer than all, of every ${ratio.m}`);
  }
  const byName = typeof sparsity === 'object' && sparsity !== null;
  const shares: readonly unknown[] = byName ? Object.values(sparsity) : [sparsity];
  if (ratio && sparsity !== undefined) refuse(`prune.sparsity cannot be chosen: the structure "${structure}" fixes it`);
  if (!ratio && !shares.every((s) => typeof s === 'number' && s >= 0 && s < 1)) {
    refuse(`prune.sparsity must be a share from 0 to below 1, but is ${shares.map(shown).join(', ')}`);
  }
  if (byName && shares.length === 0) refuse('prune.sparsity must name a layer');
  oneOf('prune.criterion', criterion, ['magnitude', 'sensitivity']);
  const forEach = byName || ratio !== undefined || structure === 'balanced';
  const scope = options.scope ?? (forEach ? 'layer' : 'global');
  oneOf('prune.scope', scope, ['global', 'layer']);
  if (forEach && scope === 'global') {
    refuse(`prune.scope "global" does not go with ${byName ? 'shares by name' : `the structure "${structure}"`}`);
  }
  return { sparsity, structure, scope, criterion };
}

function quantization(given: Quantization | QuantizeOptions): Required<QuantizeOptions> {
  const options = typeof given === 'string' ? { type: given } : given;
  known('quantize', options, ['type', 'blockSize', 'symmetric']);
  const { type, blockSize = 32, symmetric = true } = options;
  oneOf('quantize.type', type, quantizations);
  oneOf('quantize.blockSize', blockSize, [32, 64, 128]);
  oneOf('quantize.symmetric', symmetric, [true, false]);
  if (type !== 'int4' && (options.blockSize !== undefined || options.symmetric !== undefined)) {
    refuse(`quantize.blockSize and quantize.symmetric are for "int4", but the type is "${type}"`);
  }
  return { type, blockSize, symmetric };
}

function known(path: string, options: object, names: readonly string[]): void {
  if (typeof options !== 'object' || options === null) {
    const short = path === 'prune' ? 'a share or ' : path === 'quantize' ? 'a type or ' : '';
    refuse(`${path || 'options'} must be ${short}an object, but is ${shown(options)}`);
  }
  const other = Object.keys(options).find((name) => !names.includes(name));
  if (other === undefined) return;
  refuse(`there is no option "${path && `${path}.`}${other}"; there are ${list(names)}`);
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function oneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (!allowed.includes(value)) refuse(`${name} must be ${list(allowed)}, but is ${JSON.stringify(value)}`);
}

function list(values: readonly unknown[]): string {
  return values.map((v) => JSON.stringify(v)).join(', ');
}

function refuse(problem: string): never {
  throw new LeptonError('INVALID_ARGUMENT', `compress(): ${problem}.`);
}
