// What a run of a graph has to do next, as far as the shapes and elements known so far tell: divides the
// graph, and plans what can be planned. A node that turns out to have no kernel is the host's.

import type { AdapterProfile } from '../base/adapter';
import type { DType } from '../base/dtype';
import type { Tuning } from '../base/tuning';
import type { Graph, Node } from '../ir/graph';
import { ValueNeeded } from '../ir/node-view';
import type { Candidate } from '../plan/choose';
import { makePlan, NoKernel } from '../plan/make-plan';
import type { Plan } from '../plan/plan';
import { QuickChooser } from '../plan/quick';
import { type DivideRequest, type Division, divide } from '../transform/divide';
import { optimise } from '../transform/optimise';
import { setPrecision } from '../transform/set-precision';
import { Chooser, type Problem } from './tuning-problems';

export interface Precision {
  /** Float type to compute in; 'auto' is the model's own. */
  readonly precision: 'auto' | 'float32' | 'float16';
  /** Whether float64 may be computed as float32. */
  readonly allowPrecisionLoss: boolean;
}

export interface StageRequest extends Pick<DivideRequest, 'dims' | 'dtypes' | 'known'> {
  readonly adapter: AdapterProfile;
  /** Inputs that may hold markers of overflow: see plan/overflow.ts. */
  readonly overflowing: ReadonlySet<string>;
  /** Types of inputs and outputs as callers see them. */
  readonly border: ReadonlyMap<string, DType>;
  /** What is measured of the adapter; without it kernels are chosen by estimate alone. */
  readonly tuning?: Tuning;
  /** Also make a plan for a first run, where another one is over sooner. */
  readonly quick?: boolean;
}

type Divided = Extract<Division, { kind: 'gpu' }>;

/** A division, with a plan for what can be planned now, and what of it could be planned better by measuring. */
export type NextStage =
  | Exclude<Division, Divided>
  | (Omit<Divided, 'now'> & {
      readonly plan: Plan;
      /** For the first run, with less to compile. */
      readonly quick: Plan | undefined;
      readonly problems: readonly Problem[];
    });

export function adapt(graph: Graph, adapter: AdapterProfile, { precision, allowPrecisionLoss }: Precision): Graph {
  let adapted = allowPrecisionLoss ? setPrecision(graph, 'float64', 'float32') : graph;
  if (precision === 'float16') adapted = setPrecision(adapted, 'float32', 'float16');
  const widen = precision === 'float32' || !adapter.features.includes('shader-f16');
  return widen ? setPrecision(adapted, 'float16', 'float32') : adapted;
}

export function nextStage(graph: Graph, request: StageRequest): NextStage {
  const { adapter, dims, dtypes, known, border, overflowing, tuning, quick = false } = request;
  const hostReasons = new Map<string, string>();
  const needed = new Set<string>();
  for (;;) {
    const division = divide(graph, { dims, dtypes, known, hostReasons, needed });
    if (division.kind !== 'gpu') return division;
    const { now, ...rest } = division;
    try {
      const chooser = tuning && new Chooser(adapter, tuning);
      const pick = chooser?.pick ?? ((found) => found[0] as Candidate);
      const optimised = optimise(now, { adapter });
      const options = { adapter, border, overflowing, ...(tuning?.rates && { rates: tuning.rates }) };
      const quickly = quick && adapter.software ? new QuickChooser(pick) : undefined;
      const plan = makePlan(optimised, { ...options, pick: quickly?.note ?? pick });
      const first = quickly?.pick && makePlan(optimised, { ...options, pick: quickly.pick });
      return { ...rest, plan, quick: first, problems: chooser?.problems ?? [] };
    } catch (error) {
      if (error instanceof ValueNeeded && now.values.has(error.value) && !needed.has(error.value)) {
        needed.add(error.value);
      } else if (error instanceof NoKernel) {
        const node = originOf(error.node, now.nodes);
        if (!node || hostReasons.has(node.name)) throw error;
        hostReasons.set(node.name, error.message);
      } else {
        throw error;
      }
    }
  }
}

/** The node that a lowered one came from: lowering puts the node's name in front. */
function originOf(name: string, nodes: readonly Node[]): Node | undefined {
  return nodes
    .filter((node) => name.startsWith(node.name))
    .reduce<Node | undefined>((best, node) => (best && best.name.length >= node.name.length ? best : node), undefined);
}
