// A stage of a model's runs: a graph whose inputs are what earlier stages left, and what was found out to do
// with it for every combination of shapes (and of those inputs' elements that planning asked for).

import type { NDArray } from '../base/ndarray';
import { formatDims } from '../base/shape';
import type { Runner } from '../gpu/runner';
import type { Graph } from '../ir/graph';
import type { NextStage } from './next-stage';

type Of<K extends NextStage['kind']> = Extract<NextStage, { kind: K }>;

export type Outcome =
  | { readonly kind: 'host'; readonly nodes: Of<'host'>['nodes']; readonly next: Stage | undefined }
  | {
      readonly kind: 'gpu';
      /** Disposed of where memory was needed: the outcome must be made again. */
      readonly runner: Runner;
      readonly next: Stage | undefined;
      readonly read: readonly string[];
      readonly evaluated: Of<'gpu'>['evaluated'];
    };

export class Stage {
  /** Inputs whose elements planning has asked for so far. */
  readonly asked = new Set<string>();
  private readonly outcomes = new Map<string, Outcome>();

  /** @param kept outcomes held at once; the least recently used goes first */
  constructor(
    readonly graph: Graph,
    private readonly kept: number,
  ) {}

  find(key: string): Outcome | undefined {
    const outcome = this.outcomes.get(key);
    if (!outcome) return undefined;
    this.outcomes.delete(key);
    if (outcome.kind === 'gpu' && outcome.runner.disposed) return undefined;
    this.outcomes.set(key, outcome);
    return outcome;
  }

  keep(key: string, outcome: Outcome): void {
    this.outcomes.delete(key);
    while (this.outcomes.size >= this.kept) this.drop(this.outcomes.entries().next().value as [string, Outcome]);
    this.outcomes.set(key, outcome);
  }

  /** Frees all but what is in use; answers whether there was anything to free. */
  free(inUse: ReadonlySet<Outcome> = new Set()): boolean {
    let freed = false;
    for (const entry of [...this.outcomes]) {
      if (inUse.has(entry[1])) freed = (entry[1].next?.free(inUse) ?? false) || freed;
      else {
        this.drop(entry);
        freed = true;
      }
    }
    return freed;
  }

  private drop([key, outcome]: [string, Outcome]): void {
    this.outcomes.delete(key);
    if (outcome.kind === 'gpu') outcome.runner.dispose();
    outcome.next?.free();
  }
}

/** What tells one outcome of a stage from another: shapes, and the elements that planning asked for. */
export function outcomeKey(dims: ReadonlyMap<string, readonly number[]>, known: ReadonlyMap<string, NDArray>): string {
  const shapes = [...dims].map(([name, d]) => `${name}${formatDims(d)}`);
  const elements = [...known].map(([name, array]) => `${name}=${array.data.join()}`);
  return [...shapes, ...elements].join(' ');
}
