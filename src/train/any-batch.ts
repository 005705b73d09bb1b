// The forward pass with the size of the batch left open: what a model is saved as. Graphs are built for a batch of a
// given size, so the same one is built for two, and where a shape differs it is made to follow its input.

import { LeptonError } from '../base/errors';
import { int64s } from '../base/ndarray';
import type { Dim, Graph, Value } from '../ir/graph';
import { dropDeadCode } from '../transform/dead-code';

/** The name that the batch's dimension gets. */
const batchDim = 'batch';

/**
 * @param build makes the graph for a batch of this size
 * @throws UNSUPPORTED_OPERATION where something but a Reshape hangs on the size of the batch
 */
export function withAnyBatch(build: (batch: number) => Graph): Graph {
  const [one, other] = [dropDeadCode(build(2)), dropDeadCode(build(3))];
  const values = new Map<string, Value>();
  for (const value of one.values.values()) {
    values.set(value.name, opened(value, other.values.get(value.name), one));
  }
  return { ...one, values };
}

function opened(value: Value, other: Value | undefined, graph: Graph): Value {
  const { name, dims, constant } = value;
  if (!other) throw hanging(name);
  if (constant?.kind !== 'inline' || other.constant?.kind !== 'inline') {
    if (!dims) return value;
    // Sizes that inputs leave open are each their own, not the batch's.
    const open = (size: Dim, i: number) => (size === other.dims?.[i] ? size : i === 0 ? batchDim : `${name}_${i}`);
    return { ...value, dims: dims.map(open) };
  }
  if (constant.array === other.constant.array) return value;
  const [own, its] = [Array.from(constant.array.data), Array.from(other.constant.array.data)];
  if (own.length !== its.length) throw hanging(name);
  const differing = own.flatMap((element, i) => (element === its[i] ? [] : [i]));
  if (differing.length === 0) return value;
  const readers = graph.nodes.filter((node) => node.inputs.includes(name));
  const isShape = readers.every((node) => node.op === 'Reshape' && node.inputs[1] === name);
  if (!isShape || differing.length > 1 || own.includes(-1)) throw hanging(name);
  own[differing[0] as number] = -1;
  return { ...value, constant: { kind: 'inline', array: int64s(own) } };
}

function hanging(name: string): LeptonError {
  return new LeptonError(
    'UNSUPPORTED_OPERATION',
    `The model cannot be exported for batches of any size: "${name}" hangs on the size of the batch.`,
    { details: { value: name } },
  );
}
