// What a step changes: weights by the optimiser, moving averages, and what counts the steps. All of it stays as it is where
// the loss or a gradient is not finite, so that what went wrong can still be found.

import { int64s, scalar } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { sizeOf } from '../base/shape';
import { GraphBuilder } from '../ir/builder';
import type { Graph } from '../ir/graph';
import { slotsOf, update } from '../nn/optimizers';
import { reshaped } from '../nn/tensor';
import type { CompileSpec, LossScaling, WeightInfo } from '../nn/types';
import { Formula } from '../ops/gradient';
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

/** In mixed precision: the factor on the loss, and the steps since it changed, or since a gradient was not finite. */
export const scaleName = 'optimizer/dynamicScale';
const steadyName = 'optimizer/stepCounter';
/** Twice the scale is a float32 still. */
const largestScale = 2 ** 126;

/** What is kept beside the weights. */
export function optimizerState(compile: CompileSpec, trained: readonly WeightInfo[]): readonly StateSpec[] {
  const { mixedPrecision } = compile;
  const scaling = mixedPrecision
    ? [
        { name: scaleName, dims: [], initial: mixedPrecision.initialScale },
        { name: steadyName, dims: [], initial: 0 },
      ]
    : [];
  const counters = [{ name: stepName, dims: [], initial: 0 }, ...scaling];
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
  /** By weight; in mixed precision of the scaled loss. */
  readonly gradients: ReadonlyMap<string, string>;
  /** Weights of which what is zero stays zero. */
  readonly pruned: readonly string[];
  /** Next values of weights that are no parameters. */
  readonly averages: readonly { readonly weight: string; readonly value: string }[];
}

export interface Updated {
  /** With the nodes that overwrite its variables; their results are its outputs. */
  readonly graph: Graph;
  /**
   * What is to be reported: a float32 vector of how large the gradient of each trained weight is, not finite where an
   * element is not; in mixed precision the next scale.
   */
  readonly report: readonly string[];
}

export function withUpdates(graph: Graph, request: UpdateRequest): Updated {
  const { compile, loss, learningRate, trained, averages } = request;
  const b = GraphBuilder.within(graph.name, graph.values.values(), new Set(), inferNode);
  const add = (op: string, ...names: string[]) => b.add(op, names)[0] as string;
  const number = (value: number) => b.constant(scalar('float32', value));
  const asNumber = (flag: string) => b.add('Cast', [flag], { to: numberOfDType('float32') })[0] as string;
  const finite = (value: string) => add('Not', add('Or', add('IsNaN', value), add('IsInf', value)));
  const scaled = trained.map(({ name }) => request.gradients.get(name) as string);
  const whole = compile.mixedPrecision ? scaled.map((gradient) => add('Div', gradient, scaleName)) : scaled;
  const own = whole.map((gradient, i) => {
    const { name } = trained[i] as WeightInfo;
    return request.pruned.includes(name) ? add('Where', add('Equal', name, number(0)), number(0), gradient) : gradient;
  });
  const sizes = sizesOf(b, own);
  const ok = finite(add('Add', add('Abs', loss), total(b, sizes)));
  const outputs: string[] = [];
  let wanted = asNumber(ok);
  let gradients = own;
  if (gathers(compile)) {
    const steps = number(compile.gradientAccumulationSteps as number);
    const gathered = add('Add', gatheredName, wanted);
    const full = asNumber(add('GreaterOrEqual', gathered, steps));
    const rest = add('Sub', number(1), full);
    gradients = trained.map(({ name }, i) => {
      const sum = add('Add', sumName(name), add('Where', ok, own[i] as string, number(0)));
      outputs.push(add('lepton.Assign', sumName(name), add('Mul', sum, rest)));
      return add('Div', sum, steps);
    });
    outputs.push(add('lepton.Assign', gatheredName, add('Mul', gathered, rest)));
    wanted = add('Mul', wanted, full);
  }
  const step = add('Add', stepName, wanted);
  const updated = update(compile.optimizer, b, {
    weights: trained.map(({ name, learningRateMultiplier }, i) => ({
      name,
      gradient: gradients[i] as string,
      learningRateMultiplier,
    })),
    learningRate,
    step,
    wanted,
  });
  for (const { weight, value } of averages) outputs.push(add('lepton.Assign', weight, add('Where', ok, value, weight)));
  outputs.push(add('lepton.Assign', stepName, step), ...updated.outputs);
  const report = [sizes];
  if (compile.mixedPrecision) {
    const { scale, updates } = nextScale(b, compile.mixedPrecision, { ok, lossOk: finite(loss) });
    report.push(scale);
    outputs.push(...updates);
  }
  const { nodes, values } = b.finish([]);
  return { graph: { ...graph, nodes: [...graph.nodes, ...nodes], values, outputs }, report };
}

/**
 * Half of the scale where a gradient was not finite, twice where none was for long: https://arxiv.org/abs/1710.03740. What
 * makes the loss itself infinite no scale helps, and it stays.
 */
function nextScale(b: GraphBuilder, scaling: LossScaling, { ok, lossOk }: { ok: string; lossOk: string }) {
  const f = new Formula(b, 'float32');
  const steady = f.add(steadyName, 1);
  const grown = f.of('GreaterOrEqual', steady, scaling.dynamicGrowthSteps);
  const raised = f.of('Min', f.mul(scaleName, f.choose(grown, 2, 1)), largestScale);
  const scale = f.choose(ok, raised, f.mul(scaleName, f.choose(lossOk, 0.5, 1)));
  const kept = f.keep(ok, f.choose(grown, 0, steady));
  const updates = [
    f.of('lepton.Assign', scaleName, f.of('Max', scale, 1)),
    f.of('lepton.Assign', steadyName, f.choose(lossOk, kept, steadyName)),
  ];
  return { scale, updates };
}

function sizesOf(b: GraphBuilder, gradients: readonly string[]): string {
  const sizes = gradients.map((gradient) => reshaped(b, total(b, gradient), [1]));
  return b.add('Concat', sizes, { axis: 0 })[0] as string;
}

/** The sum of the absolute values: a scalar that is not finite where one of them is not. */
function total(b: GraphBuilder, value: string): string {
  const flat = reshaped(b, value, [sizeOf(b.type(value).dims)]);
  return b.add('ReduceL1', [flat, b.constant(int64s([0]))], { keepdims: 0 })[0] as string;
}
