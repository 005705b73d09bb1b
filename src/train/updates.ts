// What a step changes: weights by the optimiser, moving averages, and what counts the steps. All of it stays as it is where
// the loss is not finite, so that what went wrong can still be found.

import { scalar } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { GraphBuilder } from '../ir/builder';
import type { Graph } from '../ir/graph';
import { slotsOf, update } from '../nn/optimizers';
import type { CompileSpec, WeightInfo } from '../nn/types';
import { inferNode } from '../ops/registry';

/** A tensor that training keeps from step to step. */
export interface StateSpec {
  readonly name: string;
  readonly dims: readonly number[];
  /** What every element is at first; undefined for weights, which have initialisers. */
  readonly initial: number | undefined;
}

/** How often the weights have changed. */
const stepName = 'optimizer/step';
/** Batches since then, and the sums of their gradients. */
const gatheredName = 'optimizer/gathered';
const sumName = (weight: string) => `${weight}/gradient_sum`;

/** What is kept beside the weights. */
export function optimizerState(compile: CompileSpec, trained: readonly WeightInfo[]): readonly StateSpec[] {
  const counters = [{ name: stepName, dims: [], initial: 0 }];
  const slots = slotsOf(compile.optimizer, trained);
  if (!gathers(compile)) return [...counters, ...slots];
  const sums = trained.map(({ name, dims }) => ({ name: sumName(name), dims, initial: 0 }));
  return [...counters, { name: gatheredName, dims: [], initial: 0 }, ...sums, ...slots];
}

const gathers = ({ gradientAccumulationSteps = 1 }: CompileSpec) => gradientAccumulationSteps > 1;

export interface UpdateRequest {
  readonly compile: CompileSpec;
  readonly loss: string;
  readonly learningRate: string;
  readonly trained: readonly WeightInfo[];
  /** By weight. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Next values of weights that are no parameters. */
  readonly averages: readonly { readonly weight: string; readonly value: string }[];
}

/** The graph with the nodes that overwrite its variables; their results are outputs behind its own. */
export function withUpdates(graph: Graph, request: UpdateRequest): Graph {
  const { compile, loss, learningRate, trained, averages } = request;
  const b = GraphBuilder.within(graph.name, graph.values.values(), new Set(), inferNode);
  const add = (op: string, ...names: string[]) => b.add(op, names)[0] as string;
  const number = (value: number) => b.constant(scalar('float32', value));
  const asNumber = (flag: string) => b.add('Cast', [flag], { to: numberOfDType('float32') })[0] as string;
  const ok = add('Not', add('Or', add('IsNaN', loss), add('IsInf', loss)));
  let wanted = asNumber(ok);
  let { gradients } = request;
  const outputs: string[] = [];
  if (gathers(compile)) {
    const steps = number(compile.gradientAccumulationSteps as number);
    const gathered = add('Add', gatheredName, wanted);
    const full = asNumber(add('GreaterOrEqual', gathered, steps));
    const rest = add('Sub', number(1), full);
    const sums = trained.map(({ name }): [string, string] => {
      const own = add('Where', ok, gradients.get(name) as string, number(0));
      const sum = add('Add', sumName(name), own);
      outputs.push(add('lepton.Assign', sumName(name), add('Mul', sum, rest)));
      return [name, add('Div', sum, steps)];
    });
    outputs.push(add('lepton.Assign', gatheredName, add('Mul', gathered, rest)));
    gradients = new Map(sums);
    wanted = add('Mul', wanted, full);
  }
  const step = add('Add', stepName, wanted);
  const updated = update(compile.optimizer, b, {
    weights: trained.map(({ name, learningRateMultiplier }) => ({
      name,
      gradient: gradients.get(name) as string,
      learningRateMultiplier,
    })),
    learningRate,
    step,
    wanted,
  });
  for (const { weight, value } of averages) outputs.push(add('lepton.Assign', weight, add('Where', ok, value, weight)));
  outputs.push(add('lepton.Assign', stepName, step), ...updated.outputs);
  const { nodes, values } = b.finish([]);
  return { ...graph, nodes: [...graph.nodes, ...nodes], values, outputs: [...graph.outputs, ...outputs] };
}
