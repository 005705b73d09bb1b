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
  /** Inputs that a computed value hangs on; undefined where it is not for the host to compute. */
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

  /** Notes a node whose outputs have their types in `values`; nodes come in topological order. */
  note(node: Node): void {
    const origins = opOf(node).varies ? undefined : this.originsOfAll(node.inputs);
    for (const name of node.outputs) {
      if (name === '') continue;
      this.writers.set(name, node);
      this.origins.set(name, this.isSmall(name) ? origins : undefined);
    }
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

  private originsOfAll(names: readonly string[]): ReadonlySet<string> | undefined {
    const found = new Set<string>();
    for (const name of names) {
      if (name === '') continue;
      const origins = this.originsOf(name);
      if (!origins) return undefined;
      for (const origin of origins) found.add(origin);
    }
    return found;
  }

  private originsOf(name: string): ReadonlySet<string> | undefined {
    const { constant, dtype } = this.values.get(name) as Value;
    if (constant) return constant.kind === 'inline' ? new Set() : undefined;
    if (!this.inputs.has(name)) return this.origins.get(name);
    // Numbers that are fed as floats are data, different in every run: a plan for each would be absurd.
    return isFloat(dtype) || !this.isSmall(name) ? undefined : new Set([name]);
  }

  private isSmall(name: string): boolean {
    return sizeOf(this.values.get(name)?.dims as readonly number[]) <= largestFold;
  }

  /** Not by recursion: a loop that was written out is a long chain. */
  private compute(name: string, reason: string): NDArray {
    const open = [name];
    for (let next = open.at(-1); next !== undefined; next = open.at(-1)) {
      const node = this.writers.get(next);
      const missing = this.arrayOf(next) || !node ? [] : node.inputs.filter((i) => i !== '' && !this.arrayOf(i));
      open.push(...missing);
      if (missing.length > 0) continue;
      open.pop();
      if (!this.arrayOf(next) && node) this.run(node, reason);
    }
    return this.arrayOf(name) as NDArray;
  }

  private arrayOf(name: string): NDArray | undefined {
    const constant = this.values.get(name)?.constant;
    return constant?.kind === 'inline' ? constant.array : (this.known.get(name) ?? this.arrays.get(name));
  }

  private run(node: Node, reason: string): void {
    const inputs = node.inputs.map((input) => (input === '' ? undefined : this.arrayOf(input)));
    const results = opOf(node).reference(viewNode(node, this.values), inputs);
    node.outputs.forEach((output, i) => {
      if (output !== '') this.arrays.set(output, results[i] as NDArray);
    });
    this.evaluated.push({ node, reason });
  }
}
