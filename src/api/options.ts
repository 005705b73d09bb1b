// Options of the calls that run models, as the page gives them: what there is, of which type, and the default.

import { choice, flag, type Option, type Options, optional, text } from '../base/options';

/** The option as it is given; what it is for checks it. */
export const anything: Option<unknown> = (value) => value;

// biome-ignore lint/suspicious/noExplicitAny: whatever it is called with
export const callback: Option<((...args: any[]) => void) | undefined> = optional((value: unknown, fail) =>
  typeof value === 'function' ? (value as () => void) : fail('a function'),
);

/** Known by what it has: a signal of another frame is an instance of another class. */
export const signal: Option<AbortSignal | undefined> = optional((value: unknown, fail) => {
  const given = value as AbortSignal;
  return typeof given.aborted === 'boolean' ? given : fail('an AbortSignal');
});

export const names: Option<readonly string[] | undefined> = optional((value, fail) =>
  Array.isArray(value) && value.every((name) => typeof name === 'string') ? value : fail('a list of names'),
);

/** Where a model's files are. */
export const sourceOptions = {
  cache: flag(true),
  integrity: optional(text()),
  externalData: optional((value: unknown, fail) =>
    typeof value === 'object' ? (value as Readonly<Record<string, never>>) : fail('an object of files by name'),
  ),
} satisfies Options;

/** What whatever takes its time can be told. */
export const callOptions = {
  onProgress: callback,
  signal,
  powerPreference: optional(choice(['low-power', 'high-performance'])),
  workerUrl: anything,
} satisfies Options;
