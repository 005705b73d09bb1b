// Which opset a graph must say it is of, so that whoever reads it knows all that it uses: the oldest that has everything.

import type { DType } from '../base/dtype';
import { subgraphsOf } from '../ir/captures';
import type { Graph } from '../ir/graph';

/** What every graph is written for at least: in it, every operator has the form that graphs are kept in. */
export const oldestOpset = 21;

/** Operators, and attributes of them, that came later. */
const since: Readonly<Record<string, number>> = {
  Attention: 23,
  'AveragePool.ceil_mode': 22,
  BitCast: 26,
  'Cast.round_mode': 24,
  'CastLike.round_mode': 24,
  CausalConvWithState: 27,
  CumProd: 26,
  FlexAttention: 26,
  LinearAttention: 27,
  'MaxPool.ceil_mode': 22,
  'QuantizeLinear.precision': 23,
  RMSNormalization: 23,
  RotaryEmbedding: 23,
  Swish: 24,
  TensorScatter: 24,
};

const typesSince: Partial<Record<DType, number>> = { float4e2m1: 23, float8e8m0: 24, int2: 25, uint2: 25 };

/** By opset, the version of the format that it came with. */
const formats: readonly [opset: number, irVersion: number][] = [
  [26, 13],
  [24, 12],
  [23, 11],
];

export function opsetOf(graph: Graph): number {
  let opset = oldestOpset;
  const need = (version: number | undefined) => {
    if (version !== undefined) opset = Math.max(opset, version);
  };
  for (const { dtype } of graph.values.values()) need(typesSince[dtype]);
  for (const node of graph.nodes) {
    need(since[node.op]);
    for (const key of Object.keys(node.attributes)) need(since[`${node.op}.${key}`]);
    for (const inner of subgraphsOf(node)) need(opsetOf(inner));
  }
  return opset;
}

export function irVersionOf(opset: number): number {
  return formats.find(([from]) => opset >= from)?.[1] ?? 10;
}

/** Versions of the operator sets beside the default one. */
const domainVersions: Readonly<Record<string, number>> = { 'ai.onnx.ml': 5 };

export function domainVersion(domain: string): number {
  return domainVersions[domain] ?? 1;
}
