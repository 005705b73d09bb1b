// Options of layers, losses, metrics and optimisers: read from plain data, with their defaults, checked, and typed. What is
// wrong is named with its owner ('Layer "dense_1" (Dense)'), the option, what it was and what it should be.

import { LeptonError } from './errors';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type Config = { readonly [key: string]: Json };

/** A loss, metric, optimiser, initialiser or regulariser: its name, and options other than the defaults. */
export interface Named {
  readonly name: string;
  readonly config?: Config;
}

/** Reads one option. `value` is undefined where it was not given; `fail` throws with what was expected. */
export type Option<T> = (value: Json | undefined, fail: (expected: string) => never) => T;
// biome-ignore lint/suspicious/noExplicitAny: a record of options of every type
export type Options = Readonly<Record<string, Option<any>>>;
export type OptionsOf<O extends Options> = { readonly [K in keyof O]: ReturnType<O[K]> };

/**
 * @param config as callers give it, who may give anything
 * @throws INVALID_ARGUMENT
 */
export function readOptions<O extends Options>(owner: string, options: O, config: object = {}): OptionsOf<O> {
  refuseOthers(owner, Object.keys(options), config);
  const read = Object.entries(options).map(([name, option]) => {
    const value = (config as Config)[name];
    const fail = (expected: string) =>
      invalid(
        value === undefined
          ? `${owner} lacks its option ${name}: ${expected}.`
          : `${owner} has the option ${name} = ${shown(value)}; expected ${expected}.`,
        { option: name },
      );
    return [name, option(value, fail)];
  });
  return Object.fromEntries(read) as OptionsOf<O>;
}

/** Refuses options that there are not, such as misspelt ones. @throws INVALID_ARGUMENT */
export function refuseOthers(owner: string, names: readonly string[], given: object): void {
  if (typeof given !== 'object' || given === null)
    invalid(`${owner} takes its options as an object, not ${shown(given)}.`);
  for (const [name, value] of Object.entries(given)) {
    if (names.includes(name) || value === undefined) continue;
    invalid(`${owner} has no option "${name}"; it has ${names.join(', ') || 'none'}.`, { option: name });
  }
}

/** A value in a message: what is no plain data by its kind alone. */
function shown(value: unknown): string {
  const kind = () => Object.prototype.toString.call(value);
  if (typeof value === 'number') return `${value}`;
  try {
    return JSON.stringify(value) ?? kind();
  } catch {
    return kind();
  }
}

export function invalid(message: string, details: Readonly<Record<string, unknown>> = {}): never {
  throw new LeptonError('INVALID_ARGUMENT', message, { details });
}

/** A whole number from `least`; required without a default. */
export const whole =
  (least: number, fallback?: number): Option<number> =>
  (value = fallback ?? null, fail) =>
    isWhole(value, least) ? value : fail(`a whole number from ${least}`);

export const number =
  (fallback?: number, [low, high]: readonly [number, number] = [-Infinity, Infinity]): Option<number> =>
  (value = fallback ?? null, fail) => {
    if (typeof value === 'number' && value >= low && value <= high) return value;
    const to = high === Infinity ? '' : ` to ${high}`;
    return fail(low === -Infinity ? `a number${to}` : `a number from ${low}${to}`);
  };

/** The option where it is given. */
export const optional =
  <T>(option: Option<T>): Option<T | undefined> =>
  (value, fail) =>
    value === undefined || value === null ? undefined : option(value, fail);

export const flag =
  (fallback: boolean): Option<boolean> =>
  (value = fallback, fail) =>
    typeof value === 'boolean' ? value : fail('true or false');

export const choice =
  <const T extends string>(names: readonly T[], fallback?: T): Option<T> =>
  (value = fallback ?? null, fail) =>
    names.includes(value as T) ? (value as T) : fail(`one of ${names.map((name) => `"${name}"`).join(', ')}`);

export const text =
  (fallback?: string): Option<string> =>
  (value = fallback ?? null, fail) =>
    typeof value === 'string' ? value : fail('a text');

/** One whole number a spatial axis, or one for all of them. */
export const each =
  (rank: number, least: number, fallback?: number): Option<readonly number[]> =>
  (value = fallback ?? null, fail) => {
    if (isWhole(value, least)) return new Array<number>(rank).fill(value);
    if (Array.isArray(value) && value.length === rank && value.every((v) => isWhole(v, least))) return value;
    return fail(rank === 1 ? `a whole number from ${least}` : `a whole number from ${least}, or ${rank} of them`);
  };

export const wholes =
  (least: number, fallback?: readonly number[]): Option<readonly number[]> =>
  (value = fallback ?? null, fail) => {
    const list = isWhole(value, least) ? [value] : value;
    if (Array.isArray(list) && list.every((v) => isWhole(v, least))) return list;
    return fail(`a list of whole numbers from ${least}`);
  };

export const numbers =
  (count?: number): Option<readonly number[]> =>
  (value, fail) => {
    const list = typeof value === 'number' ? new Array<number>(count ?? 1).fill(value) : value;
    const right = Array.isArray(list) && list.every((v) => typeof v === 'number');
    if (right && (count === undefined || list.length === count)) return list as number[];
    return fail(count === undefined ? 'a list of numbers' : `a number, or ${count} of them`);
  };

/** One of `known` by name, alone or with options of its own: 'l2', { name: 'l2', config: { l2: 0.1 } }. */
export const named =
  (known: Readonly<Record<string, Options>>, fallback?: Named | string): Option<Named> =>
  (value = (fallback ?? null) as Json, fail) => {
    const found = (typeof value === 'string' ? { name: value } : value) as Named | null;
    if (typeof found !== 'object' || found === null || !Object.hasOwn(known, found.name ?? '')) {
      return fail(`one of ${Object.keys(known).join(', ')}`);
    }
    readOptions(`"${found.name}"`, known[found.name] as Options, found.config);
    return found;
  };

function isWhole(value: unknown, least: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= least;
}
