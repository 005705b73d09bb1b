// A stage of a model's runs: a graph whose inputs are what earlier stages left, and what was found out to do
// with it for every combination of shapes (and of those inputs' elements that planning asked for).

import type { DType } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import { formatDims } from '../base/shape';
import type { Runner } from '../gpu/runner';
import type { Graph, Node } from '../ir/graph';
import type { Plan } from '../plan/plan';
import type { NextStage } from './next-stage';

type Of<K extends NextStage['kind']> = Extract<NextStage, { kind: K }>;

/** A node that planning has run on the host. */
export interface Evaluated {
  readonly node: Pick<Node, 'name' | 'op'>;
  readonly reason: string;
}

export type GpuOutcome = Extract<Outcome, { kind: 'gpu' }>;
export type Outcome =
  | {
      readonly kind: 'host';
      readonly nodes: Of<'host'>['nodes'];
      readonly next: Stage | undefined;
      readonly evaluated: readonly Evaluated[];
    }
  | {
      readonly kind: 'gpu';
      /** Disposed of where memory was needed: the outcome must be made again. Replaced by a better plan's. */
      runner: Runner;
      /** The plan's nodes, with what is known by now of how their kernels were chosen. */
      nodes: Plan['nodes'];
      readonly next: Stage | undefined;
      readonly read: readonly string[];
      readonly evaluated: readonly Evaluated[];
      /** The plan to go on with after a first run with a quicker one. */
      better: Plan | undefined;
      /** What measuring could better; undefined where it has been done, or is not wanted. */
      readonly open: (() => Promise<Open>) | undefined;
    };

/** What could be planned better by measuring, and the plan that is best by now. */
export interface Open {
  readonly problems: Of<'gpu'>['problems'];
  readonly replan: () => Plan;
}

/** What is known of an input before its elements are. */
export interface StageInput {
  readonly dims: readonly number[];
  /** Where the host has computed it: its type. */
  readonly dtype?: DType;
  /** Whether it may hold markers of overflow: see plan/overflow.ts. */
  readonly mayOverflow: boolean;
}

export class Stage {
  private readonly askedFor = new Set<string>();
  private readonly outcomes = new Map<string, Outcome>();

  /**
   * @param inputs of the graph
   * @param graph gets the graph: that of a model whose plans are in the store may not have been read yet
   * @param kept outcomes held at once; the least recently used goes first
   */
  constructor(
    readonly inputs: readonly string[],
    readonly graph: () => Promise<Graph>,
    private readonly kept: number,
  ) {}

  /** Inputs whose elements planning has asked for so far. */
  get asked(): ReadonlySet<string> {
    return this.askedFor;
  }

  /** Asks for further elements: what was kept without knowing them would not be found again. */
  ask(names: readonly string[]): void {
    for (const name of names) this.askedFor.add(name);
    this.free();
  }

  find(key: string): Outcome | undefined {
    const outcome = this.outcomes.get(key);
    if (!outcome) return undefined;
    this.outcomes.delete(key);
    if (outcome.kind === 'gpu' && outcome.runner.disposed) {
      outcome.next?.free();
      return undefined;
    }
    this.outcomes.set(key, outcome);
    return outcome;
  }

  keep(key: string, outcome: Outcome): void {
    this.outcomes.delete(key);
    for (const [oldest, dropped] of this.outcomes) {
      if (this.outcomes.size < this.kept) break;
      this.outcomes.delete(oldest);
      freeChain([dropped]);
    }
    this.outcomes.set(key, outcome);
  }

  /** Frees all but what is in use, here and in the stages behind. */
  free(inUse: ReadonlySet<Outcome> = new Set()): void {
    // Not by recursion: a loop that data ends is a stage for every iteration.
    for (let stage: Stage | undefined = this; stage; ) {
      let next: Stage | undefined;
      for (const [key, outcome] of stage.outcomes) {
        if (inUse.has(outcome)) next = outcome.next;
        else {
          stage.outcomes.delete(key);
          freeChain([outcome]);
        }
      }
      stage = next;
    }
  }

  /** Hands over everything that is kept. */
  take(): Outcome[] {
    const all = [...this.outcomes.values()];
    this.outcomes.clear();
    return all;
  }
}

function freeChain(outcomes: Outcome[]): void {
  for (let outcome = outcomes.pop(); outcome; outcome = outcomes.pop()) {
    if (outcome.kind === 'gpu') outcome.runner.dispose();
    outcomes.push(...(outcome.next?.take() ?? []));
  }
}

/** What tells one outcome of a stage from another: shapes, and the elements that planning asked for. */
export function outcomeKey(inputs: ReadonlyMap<string, StageInput>, known: ReadonlyMap<string, NDArray>): string {
  const types = [...inputs].map(([name, { dims, dtype = '', mayOverflow }]) => {
    return `${name}${formatDims(dims)}${dtype}${mayOverflow ? '!' : ''}`;
  });
  const elements = [...known].map(([name, array]) => `${name}=${array.data.join()}`);
  return [...types, ...elements].join(' ');
}
