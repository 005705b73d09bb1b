// How much the loss depends on each weight: |gradient · weight| on labelled data, the connection sensitivity of SNIP
// (https://arxiv.org/abs/1810.02340). The model's graph gets a cross-entropy at its end and is differentiated back to the
// weights; an engine runs that batch by batch.

import type { ByteSource } from '../base/bytes';
import { throwIfAborted } from '../base/errors';
import { int64s, type NDArray, ndarray, scalar } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { GraphBuilder } from '../ir/builder';
import type { Graph, Value } from '../ir/graph';
import { inferNode } from '../ops/registry';
import { dropDeadCode } from '../transform/dead-code';
import { differentiate } from '../transform/differentiate';
import { setPrecision } from '../transform/set-precision';
import { specialise } from '../transform/specialise';
import { batchesOf, checkLabel, labelledOutput, refuse } from './batches';
import type { OpenedRun, Runner } from './calibrate';
import type { CalibrationArrays, CompressProgress } from './types';

export interface SensitivityRequest {
  readonly graph: Graph;
  readonly fileOf: (name: string) => ByteSource;
  /** Names of the weights, with their elements. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  readonly data: CalibrationArrays;
  readonly runner: Runner;
  readonly signal: AbortSignal;
  onProgress(progress: CompressProgress): void;
}

/**
 * By weight the scores of its elements.
 * @throws UNSUPPORTED_MODEL where an operator has no gradient; INVALID_ARGUMENT where the data does not fit
 */
export async function sensitivities(request: SensitivityRequest): Promise<Map<string, Float32Array>> {
  const { graph, fileOf, weights, data, runner, signal, onProgress } = request;
  const batches = batchesOf(graph, data);
  const labelled = labelledOutput(graph, data, batches.samples);
  if (!labelled) refuse('prune.criterion "sensitivity" needs labels');
  const sums = new Map([...weights].map(([name, { length }]) => [name, new Float32Array(length)]));
  const opened = new Map<number, Opened>();
  try {
    for (let i = 0; i < batches.count; i++) {
      throwIfAborted(signal, 'Compressing the model');
      const feeds = batches.at(i);
      const size = Math.min(batches.size, batches.samples - i * batches.size);
      let backward = opened.get(size);
      if (!backward) {
        const made = backwardGraph(graph, feeds, size, labelled.output, [...weights.keys()]);
        backward = { ...made, run: await runner.openGraph(made.graph, fileOf) };
        opened.set(size, backward);
      }
      const { labels, classes, gradients, run } = backward;
      const rows = ndarray('float32', [size, classes]);
      for (let s = 0; s < size; s++) {
        const label = labelled.labels[i * batches.size + s] as number;
        checkLabel(label, classes);
        rows.data[s * classes + label] = 1;
      }
      const results = await run.run({ ...feeds, [labels]: rows });
      for (const [name, sum] of sums) {
        const { data: own } = results[gradients.get(name) as string] as NDArray;
        for (let e = 0; e < sum.length; e++) sum[e] = (sum[e] as number) + (own[e] as number);
      }
      onProgress({ stage: 'sensitivity', loaded: i + 1, total: batches.count });
    }
  } finally {
    for (const { run } of opened.values()) await run.close();
  }
  for (const [name, sum] of sums) {
    const own = weights.get(name) as Float32Array;
    for (let e = 0; e < sum.length; e++) sum[e] = Math.abs((sum[e] as number) * (own[e] as number));
  }
  return sums;
}

interface Backward {
  readonly graph: Graph;
  /** The input that takes the labels: float32 [batch, classes], 1 at the class of a sample. */
  readonly labels: string;
  readonly classes: number;
  /** By weight the output that is its gradient. */
  readonly gradients: ReadonlyMap<string, string>;
}

type Opened = Backward & { readonly run: OpenedRun };

function backwardGraph(
  graph: Graph,
  feeds: Readonly<Record<string, NDArray>>,
  size: number,
  output: string,
  weights: readonly string[],
): Backward {
  const sizes = new Map<string, number>();
  for (const name of graph.inputs) {
    graph.values.get(name)?.dims?.forEach((dim, i) => {
      if (typeof dim === 'string') sizes.set(dim, feeds[name]?.dims[i] as number);
    });
  }
  const whole = specialise(setPrecision(graph, 'float16', 'float32'), sizes);
  const logits = logitsOf(whole, output);
  const { dims } = whole.values.get(logits) as Value;
  const classes = sizeOf(dims as readonly number[]) / size;
  const b = GraphBuilder.within(whole.name, whole.values.values(), new Set(), inferNode);
  const one = (op: string, inputs: readonly string[], attributes = {}) => b.add(op, inputs, attributes)[0] as string;
  const labels = b.input('labels:sensitivity', 'float32', [size, classes]);
  const rows = one('Reshape', [logits, b.constant(int64s([size, classes]))]);
  const found = one('Mul', [one('LogSoftmax', [rows], { axis: 1 }), labels]);
  const loss = one('Mul', [one('ReduceSum', [found], { keepdims: 0 }), b.constant(scalar('float32', -1))]);
  const made = b.finish([loss]);
  const forward: Graph = {
    ...whole,
    nodes: [...whole.nodes, ...made.nodes],
    values: made.values,
    inputs: [...whole.inputs, labels],
    outputs: [loss],
  };
  const { graph: both, gradients } = differentiate(forward, loss, weights);
  const outputs = weights.map((name) => gradients.get(name) as string);
  return { graph: dropDeadCode({ ...both, outputs: [...new Set(outputs)] }), labels, classes, gradients };
}

/** Operators that change no number: behind them a Softmax is the model's last as well. */
const passing = new Set(['Cast', 'Flatten', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze']);

/** What a model gives as probabilities is a loss's logits before. */
function logitsOf({ nodes }: Graph, output: string): string {
  let name = output;
  for (;;) {
    const writer = nodes.find(({ outputs }) => outputs.includes(name));
    if (writer?.op === 'Softmax') return writer.inputs[0] as string;
    if (!writer || !passing.has(writer.op)) return output;
    name = writer.inputs[0] as string;
  }
}
