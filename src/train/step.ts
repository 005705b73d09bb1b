// One step of training, or of evaluating or predicting, as a graph: forward pass, losses, metrics, backward pass, and the
// optimiser's updates in place. Everything small that the page wants to know of a step comes as one vector, the report.

import type { DType } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { int64s, scalar } from '../base/ndarray';
import { type Dims, formatDims, sizeOf } from '../base/shape';
import { GraphBuilder } from '../ir/builder';
import type { Graph } from '../ir/graph';
import { describe, forward } from '../nn/build';
import { lossOf } from '../nn/losses';
import { totalsOf } from '../nn/metrics';
import type { CompileSpec, ModelDescription, ModelSpec, WeightInfo } from '../nn/types';
import { inferNode } from '../ops/registry';
import { differentiate } from '../transform/differentiate';
import { mixPrecision } from '../transform/mixed-precision';
import { recompute } from '../transform/recompute';
import { learningRateName, reportName, sampleWeightName, seedName, targetName } from './names';
import { optimizerState, type StateSpec, scaleName, withUpdates } from './updates';

export type StepKind = 'train' | 'evaluate' | 'predict';

export interface TensorShape {
  readonly dtype: DType;
  readonly dims: Dims;
}

export interface StepRequest {
  readonly kind: StepKind;
  readonly spec: ModelSpec;
  /** Not for 'predict'. */
  readonly compile?: CompileSpec;
  /** Weights of which what is zero stays zero. */
  readonly pruned?: readonly string[];
  /** Of every input of the model, in its order, batch included. */
  readonly inputs: readonly TensorShape[];
  /** Of what each output is compared with; none for 'predict'. */
  readonly targets: readonly TensorShape[];
}

/** Where the numbers of a step's report begin: the total loss is the first, the outputs' own losses follow. */
export interface ReportLayout {
  /** For each output, for each of its metrics. */
  readonly metrics: readonly (readonly { readonly start: number; readonly length: number }[])[];
  /** Of a step that trains: how large the gradient of each weight is, in order; not finite where an element is not. */
  readonly gradients?: {
    readonly start: number;
    readonly weights: readonly string[];
    /** Where the loss is scaled, the place of the next step's scale; below 1 there is none. */
    readonly nextScale?: number;
  };
  readonly length: number;
}

export interface StepGraph {
  readonly graph: Graph;
  /** Inputs of the graph that are variables. */
  readonly variables: ReadonlySet<string>;
  readonly report: ReportLayout;
}

/** All that a model under training keeps: its weights, what the optimiser keeps of them, and the number of steps. */
export function stateOf(spec: ModelSpec, compile: CompileSpec | undefined): readonly StateSpec[] {
  return stateOfWeights(describe(spec).weights, compile);
}

function stateOfWeights(weights: readonly WeightInfo[], compile: CompileSpec | undefined): readonly StateSpec[] {
  const own = weights.map(({ name, dims }) => ({ name, dims, initial: undefined }));
  return compile ? [...own, ...optimizerState(compile, weights.filter(isTrained))] : own;
}

const isTrained = ({ trainable }: WeightInfo) => trainable;

export function stepGraph(request: StepRequest): StepGraph {
  return new Step(request).graph();
}

class Step {
  private readonly description: ModelDescription;
  private readonly state: readonly StateSpec[];
  private readonly b: GraphBuilder;
  private readonly batch: number;

  constructor(private readonly request: StepRequest) {
    const { kind, compile } = request;
    this.description = describe(request.spec);
    this.state = stateOfWeights(this.description.weights, kind === 'train' ? compile : undefined);
    this.b = new GraphBuilder(request.spec.name, inferNode);
    this.batch = request.inputs[0]?.dims[0] ?? 0;
  }

  graph(): StepGraph {
    const { b, request, description } = this;
    const { spec, kind, compile } = request;
    const training = kind === 'train';
    const inputs = spec.inputs.map(({ name }, i) => {
      const { dtype, dims } = request.inputs[i] as TensorShape;
      return b.input(name, dtype, dims);
    });
    for (const { name, dims } of this.state) b.input(name, 'float32', dims);
    const seed = training ? b.input(seedName, 'int32', [1]) : undefined;
    const weights = (name: string) => name;
    const made = forward(spec, b, { inputs, weights, training, ...(seed && { seed }) });
    const nodes = b.finish([]).nodes.length;
    if (!compile || kind === 'predict') return this.finished(b.finish(made.outputs), []);

    const targets = request.targets.map(({ dtype, dims }, i) => b.input(targetName(i), dtype, dims));
    const sampleWeight = b.input(sampleWeightName, 'float32', [this.batch]);
    const losses = compile.losses.map((named, i) => {
      this.checkTarget(i, made.outputs[i] as string);
      const perSample = lossOf(named, b, targets[i] as string, made.outputs[i] as string, made.logits[i]);
      return this.mean(this.node('Mul', perSample, sampleWeight));
    });
    const weighted = losses.map((loss, i) => this.node('Mul', loss, this.number(compile.lossWeights[i] ?? 1)));
    const parts = [...weighted, ...made.penalties];
    const loss = parts.length === 1 ? (parts[0] as string) : this.node('Sum', ...parts);
    const metrics = compile.metrics.map((list, i) =>
      list.map((named) => totalsOf(named, b, targets[i] as string, made.outputs[i] as string, sampleWeight)),
    );
    const numbers = [loss, ...losses, ...metrics.flat()];
    const mixed = (graph: Graph) =>
      compile.mixedPrecision ? mixPrecision(graph, { nodes, weights: this.weightNames }) : graph;
    if (!training) return this.finished(withReport({ ...mixed(b.finish(numbers)), outputs: [] }, numbers), metrics);

    const rate = b.input(learningRateName, 'float32', []);
    const trained = description.weights.filter(isTrained);
    if (trained.length === 0) {
      throw new LeptonError('INVALID_ARGUMENT', `No layer of "${spec.name}" is trainable: there is nothing to train.`);
    }
    const differentiated = compile.mixedPrecision ? this.node('Mul', loss, scaleName) : loss;
    const needed = [differentiated, ...numbers, ...made.updates.map(({ value }) => value)];
    const {
      graph,
      forward: kept,
      gradients,
    } = differentiate(
      mixed(b.finish(needed)),
      differentiated,
      trained.map(({ name }) => name),
    );
    const { graph: updated, report } = withUpdates(graph, {
      ...{ compile, loss, learningRate: rate, trained, gradients, pruned: request.pruned ?? [] },
      averages: made.updates,
    });
    const reporting = withReport(updated, [...numbers, ...report]);
    const lean = compile.recompute === undefined ? reporting : recompute(reporting, kept, compile.recompute);
    return this.finished(
      { ...lean, inputs: b.finish([]).inputs },
      metrics,
      trained.map(({ name }) => name),
    );
  }

  private get weightNames(): ReadonlySet<string> {
    return new Set(this.description.weights.map(({ name }) => name));
  }

  private finished(graph: Graph, metrics: readonly (readonly string[])[], trained?: readonly string[]): StepGraph {
    let end = 1 + metrics.length;
    const layout = metrics.map((list) =>
      list.map((name) => {
        const length = sizeOf(this.b.type(name).dims);
        end += length;
        return { start: end - length, length };
      }),
    );
    const variables = new Set(this.state.map(({ name }) => name));
    if (!trained) return { graph, variables, report: { metrics: layout, length: end } };
    const nextScale = end + trained.length;
    const scaled = this.request.compile?.mixedPrecision !== undefined;
    const gradients = { start: end, weights: trained, ...(scaled && { nextScale }) };
    return { graph, variables, report: { metrics: layout, gradients, length: nextScale + Number(scaled) } };
  }

  private checkTarget(i: number, output: string): void {
    const [is, { dims }] = [this.b.type(output).dims, this.request.targets[i] as TensorShape];
    if (dims[0] === is[0]) return;
    throw new LeptonError(
      'INVALID_INPUT',
      `y${this.request.targets.length > 1 ? `[${i}]` : ''} has ${dims[0]} samples, but x has ${is[0]}.`,
      { details: { expected: formatDims(is), got: formatDims(dims) } },
    );
  }

  private mean(perSample: string): string {
    const [sum] = this.b.add('ReduceSum', [perSample, this.b.constant(int64s([0]))], { keepdims: 0 }) as [string];
    return this.node('Div', sum, this.number(Math.max(1, this.batch)));
  }

  private node(op: string, ...inputs: string[]): string {
    return this.b.add(op, inputs)[0] as string;
  }

  private number(value: number): string {
    return this.b.constant(scalar('float32', value));
  }
}

/** The graph with all of these, flat, one after another, as the report: its first output, before those that overwrite. */
function withReport(graph: Graph, names: readonly string[]): Graph {
  const b = GraphBuilder.within(graph.name, graph.values.values(), new Set([reportName]), inferNode);
  const flat = names.map((name) => b.add('Reshape', [name, b.constant(int64s([-1]))])[0] as string);
  b.append({ name: 'report', op: 'Concat', inputs: flat, outputs: [reportName], attributes: { axis: 0 } });
  const { nodes, values } = b.finish([]);
  return { ...graph, nodes: [...graph.nodes, ...nodes], values, outputs: [reportName, ...graph.outputs] };
}
