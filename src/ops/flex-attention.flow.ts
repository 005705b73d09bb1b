// ai.onnx.preview.FlexAttention: attention whose scores and weights a subgraph each may change. Without subgraphs it
// is lepton.Attention; else products, the subgraphs and Softmax one after the other.

import { numberOfDType } from '../base/onnx-dtypes';
import { float, graph, int } from '../ir/attributes';
import type { Graph } from '../ir/graph';
import { defineFlow } from '../ir/opdef';
import { decompose } from './attention/decompose';
import { coreOf } from './attention/problem';

const flexAttention = defineFlow({
  name: 'ai.onnx.preview.FlexAttention',
  attributes: { scale: float(0), softmax_precision: int(), score_mod: graph(), prob_mod: graph() },
  expand(n, b) {
    const { scale, softmax_precision, score_mod, prob_mod } = n.attributes;
    if (!score_mod && !prob_mod) return b.add('lepton.Attention', n.node.inputs, { scale });
    const { dtype } = n.input(0);
    const narrow = dtype === 'float16' || dtype === 'bfloat16';
    const precision = softmax_precision ?? numberOfDType(narrow ? 'float32' : dtype);
    const cast = (name: string, to: number) => b.add('Cast', [name], { to })[0] as string;
    const change = (name: string, by: Graph | undefined) => (by ? (b.inline(by, [name])[0] as string) : name);
    const [result] = decompose(
      coreOf(n, { scale }, n.inputs),
      b,
      (scores) => change(cast(scores, precision), score_mod),
      (weights) => cast(change(weights, prob_mod), numberOfDType(dtype)),
    );
    return [result as string];
  },
});

export default [flexAttention];
