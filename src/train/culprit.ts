// Which operator of a forward pass is the first to give something that is not finite: a graph that looks at every value.

import { isFloat } from '../base/dtype';
import { int64s } from '../base/ndarray';
import { numberOfDType } from '../base/onnx-dtypes';
import { sizeOf } from '../base/shape';
import { GraphBuilder } from '../ir/builder';
import { inferNode } from '../ops/registry';
import { reportName } from './names';
import { type StepGraph, type StepRequest, stepGraph } from './step';

export interface Culprits {
  readonly step: StepGraph;
  /** By place in the report, where 1 says that something is not finite: the operator and node that gave it. */
  readonly nodes: readonly { readonly op: string; readonly name: string }[];
}

/** The forward pass and losses of a step. Inputs and weights come first: they may be what is wrong. */
export function culpritGraph(request: StepRequest): Culprits {
  // As in evaluation: what only training does, such as dropout, makes nothing infinite.
  const { graph, variables, report } = stepGraph({ ...request, kind: 'evaluate' });
  const b = GraphBuilder.within(graph.name, graph.values.values(), new Set([reportName]), inferNode);
  const origins = [
    ...graph.inputs.map((name) => ({ op: variables.has(name) ? 'weight' : 'input', name, value: name })),
    ...graph.nodes.flatMap(({ op, name, outputs }) => outputs.map((value) => ({ op, name, value }))),
  ];
  const looked = origins.filter(({ value }) => {
    if (value === '' || value === reportName) return false;
    const { dtype, dims } = b.type(value);
    return isFloat(dtype) && sizeOf(dims) > 0;
  });
  const flags = looked.map(({ value }) => {
    const wrong = b.add('Or', [...b.add('IsNaN', [value]), ...b.add('IsInf', [value])]);
    const number = b.add('Cast', wrong, { to: numberOfDType('float32') });
    const flat = b.add('Reshape', [...number, b.constant(int64s([-1]))]);
    return b.add('ReduceMax', [...flat, b.constant(int64s([0]))], { keepdims: 1 })[0] as string;
  });
  const nodes = graph.nodes.filter(({ outputs }) => !outputs.includes(reportName));
  b.append({ name: 'report', op: 'Concat', inputs: flags, outputs: [reportName], attributes: { axis: 0 } });
  const made = b.finish([reportName]);
  return {
    step: { graph: { ...made, nodes: [...nodes, ...made.nodes], inputs: graph.inputs }, variables, report },
    nodes: looked.map(({ op, name }) => ({ op, name })),
  };
}
