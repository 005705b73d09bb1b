// The elements of values that planning asks for, computed on the host where that is little work: sizes and
// axes are mostly a few integers taken from other small integers. Where it would be much, or hangs on
// something that only the GPU knows, the value must be read back instead.

import { isFloat } from '../base/dtype';
import type { NDArray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import type { Node, Value } from '../ir/graph';
import { opOf, viewNode } from '../ops/registry';
import { largestFold } from './specialise';

/** A node that runs on the host, and why. */
export interface HostNode {
  readonly node: Node;
  readonly reason: string;
}

export class HostValues {
  private readonly writers = new Map<string, Node>();
  private readonly arrays = new Map<string, NDArray>();
  /** Inputs that a value hangs on; undefined where it is not for the host to compute. */
  private readonly origins = new Map<string, ReadonlySet<string> | undefined>();
  readonly evaluated: HostNode[] = [];
  /** Values that were found. */
  readonly provided = new Set<string>();

  /** @param known elements of inputs, where they are */
  constructor(
    private readonly values: ReadonlyMap<string, Value>,
    private readonly inputs: ReadonlySet<string>,
    private readonly known: ReadonlyMap<string, NDArray>,
  ) {}

  /** Notes a node whose outputs have their types in `values`. */
  note(node: Node): void {
    for (const name of node.outputs) if (name !== '') this.writers.set(name, node);
  }

  /** The value's elements, the inputs that must be known first, or 'cut': the GPU has to say. */
  find(name: string, reader: Node): NDArray | { missing: readonly string[] } | 'cut' {
    const origins = this.inputs.has(name) ? new Set([name]) : this.originsOf(name);
    if (!origins) return 'cut';
    const missing = [...origins].filter((input) => !this.known.has(input));
    if (missing.length > 0) return { missing };
    this.provided.add(name);
    return this.compute(name, `planning ${reader.op} "${reader.name}" needs what it computes`);
  }

  private originsOf(name: string): ReadonlySet<string> | undefined {
    if (!this.origins.has(name)) this.origins.set(name, this.traceOrigins(name));
    return this.origins.get(name);
  }

  private traceOrigins(name: string): ReadonlySet<string> | undefined {
    const { constant, dims, dtype } = this.values.get(name) as Value;
    if (constant) return constant.kind === 'inline' ? new Set() : undefined;
    if (sizeOf(dims as readonly number[]) > largestFold) return undefined;
    // Numbers that are fed as floats are data, different in every run: a plan for each would be absurd.
    if (this.inputs.has(name)) return isFloat(dtype) ? undefined : new Set([name]);
    const node = this.writers.get(name);
    if (!node || opOf(node).varies) return undefined;
    const found = new Set<string>();
    for (const input of node.inputs) {
      if (input === '') continue;
      const origins = this.originsOf(input);
      if (!origins) return undefined;
      for (const origin of origins) found.add(origin);
    }
    return found;
  }

  private compute(name: string, reason: string): NDArray {
    const { constant } = this.values.get(name) as Value;
    const array = constant?.kind === 'inline' ? constant.array : (this.known.get(name) ?? this.arrays.get(name));
    if (array) return array;
    const node = this.writers.get(name) as Node;
    const inputs = node.inputs.map((input) => (input === '' ? undefined : this.compute(input, reason)));
    const results = opOf(node).reference(viewNode(node, this.values), inputs);
    node.outputs.forEach((output, i) => {
      if (output !== '') this.arrays.set(output, results[i] as NDArray);
    });
    this.evaluated.push({ node, reason });
    return this.arrays.get(name) as NDArray;
  }
}
