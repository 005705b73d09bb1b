// The command line of `npm run bench`.

import { type RuntimeName, runtimeNames } from './results';

export interface BenchOptions {
  readonly only: RegExp;
  readonly runtimes: readonly RuntimeName[];
  readonly rounds: number;
  readonly adapter: 'software' | 'hardware';
  readonly json?: string;
  /** Compare with the committed results. */
  readonly check: boolean;
  /** Write the committed results. */
  readonly update: boolean;
}

export const usage = `Usage: npm run bench [-- --only=REGEX --runtimes=${runtimeNames.join(',')}
       --rounds=N --adapter=software|hardware --json=FILE --check | --update]`;

/** Undefined where the arguments make no sense. */
export function parseOptions(args: readonly string[]): BenchOptions | undefined {
  const given = new Map<string, string>();
  for (const arg of withEquals(args)) {
    const match = /^--(only|runtimes|rounds|adapter|json)=(.+)$|^--(check|update)$/.exec(arg);
    const name = match?.[1] ?? match?.[3];
    if (name === undefined || given.has(name)) return undefined;
    given.set(name, match?.[2] ?? '');
  }
  const only = regularExpression(given.get('only') ?? '');
  const rounds = Number(given.get('rounds') ?? 7);
  const adapter = given.get('adapter') ?? 'software';
  const wanted = given.get('runtimes')?.split(',') ?? runtimeNames;
  const runtimes = runtimeNames.filter((name) => wanted.includes(name));
  const [check, update] = [given.has('check'), given.has('update')];
  if (!only || !Number.isInteger(rounds) || rounds < 1 || runtimes.length < wanted.length) return undefined;
  // What is committed is one whole run, of everything or of sparse weights.
  const whole = [undefined, 'sparse'].includes(given.get('only')) && !given.has('runtimes');
  if (update && !whole) return undefined;
  if ((adapter !== 'software' && adapter !== 'hardware') || (check && update)) return undefined;
  const json = given.get('json');
  return { only, runtimes, rounds, adapter, check, update, ...(json !== undefined && { json }) };
}

/** `--only train` as `--only=train`. */
function withEquals(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const last = joined.at(-1);
    if (!arg.startsWith('--') && last && /^--[a-z]+$/.test(last)) joined[joined.length - 1] = `${last}=${arg}`;
    else joined.push(arg);
  }
  return joined;
}

function regularExpression(source: string): RegExp | undefined {
  try {
    return new RegExp(source);
  } catch {
    return undefined;
  }
}
