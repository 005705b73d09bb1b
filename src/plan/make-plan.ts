// Graph → Plan. Every node of the graph must be a view or have a kernel, and every shape be concrete.
// Nodes that read constants only are moved to the init steps: they run once, on the GPU, so that folded
// and packed weights never pass through the heap.

import type { AdapterProfile } from '../base/adapter';
import { byteSize, type DType, deviceType, isFloat } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { formatDims, sizeOf } from '../base/shape';
import type { AdapterRates } from '../base/tuning';
import { packUniforms, shaderInterface } from '../base/wgsl-interface';
import type { Graph, Node } from '../ir/graph';
import { valuesRead } from '../ir/graph';
import type { Dispatch, Operand, Stretches } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { opOf, viewNode } from '../ops/registry';
import { mayReadBeside, settlePipelines } from './beside';
import { type Candidate, candidates, textOf } from './choose';
import { overflowing } from './overflow';
import { overwritingSoon } from './overwriting';
import { type Memory, type Move, placeMemories } from './place';
import type { BufferRole, Plan, PlanNode, PlanPipeline, PlanStep, PlanTensor } from './plan';
import { signatureOf } from './problem';
import { sparsityOf } from './sparsity';
import { type OwnOperand, ValueMemories } from './value-memories';

export interface PlanOptions {
  readonly adapter: AdapterProfile;
  /** What the adapter was measured to do, where it was. */
  readonly rates?: AdapterRates;
  /** Picks among a node's candidates, cheapest estimate first. Default: the first. */
  readonly pick?: (candidates: readonly Candidate[], n: NodeView) => Candidate;
  /** Types of inputs and outputs as callers see them, where the graph computes in another. */
  readonly border?: ReadonlyMap<string, DType>;
  /** Inputs that may hold markers of overflow. */
  readonly overflowing?: ReadonlySet<string>;
  /** Inputs that are variables: their buffers outlive the plan, and nodes may overwrite them. */
  readonly variables?: ReadonlySet<string>;
}

/** No kernel can run a node on this adapter. */
export class NoKernel extends LeptonError {
  readonly node: string;

  constructor(n: NodeView) {
    const types = n.inputs.map((t) => (t ? `${t.dtype}${formatDims(t.dims)}` : 'absent')).join(', ');
    super('UNSUPPORTED_MODEL', `${n.node.op} node "${n.node.name}" has no GPU kernel for these inputs: ${types}.`, {
      details: { node: n.node.name, op: n.node.op },
    });
    this.node = n.node.name;
  }
}

export function makePlan(graph: Graph, options: PlanOptions): Plan {
  return new Planner(graph, options).plan();
}

interface KnownPipeline {
  readonly index: number;
  readonly pipeline: PlanPipeline;
  readonly mayReadBeside: boolean;
}

/** Integers of a constant that the signature of a node holds. */
const mostSigned = 64;

class Planner {
  private readonly memories: ValueMemories;
  private readonly computedAtLoad = new Set<string>();
  /** Outputs that are variables with new contents. */
  private readonly overwritten = new Set<string>();
  private readonly pipelines = new Map<string, KnownPipeline>();
  private readonly uniformChunks: { offset: number; bytes: Uint8Array }[] = [];
  private uniformBytes = 0;
  private readonly init: PlanStep[] = [];
  private readonly steps: PlanStep[] = [];
  private readonly nodes: PlanNode[] = [];
  private readonly moves: Move[] = [];
  private readonly ranked = new Map<string, readonly Candidate[]>();
  private readonly overflowing: ReadonlySet<string>;

  constructor(
    private readonly graph: Graph,
    private readonly options: PlanOptions,
  ) {
    this.memories = new ValueMemories(graph, options.adapter.limits);
    this.overflowing = overflowing(graph, options.overflowing);
  }

  plan(): Plan {
    const { graph } = this;
    const isVariable = (name: string) => this.options.variables?.has(name) ?? false;
    const tensors = (names: readonly string[], role: BufferRole) =>
      names.map((name) => this.tensor(name, this.memories.ofValue(name, role)));
    const variables = tensors(graph.inputs.filter(isVariable), 'variable');
    const inputs = tensors(
      graph.inputs.filter((name) => !isVariable(name)),
      'input',
    );
    for (const node of overwritingSoon(graph)) this.addNode(node);
    const outputs = graph.outputs.filter((name) => !this.overwritten.has(name)).map((name) => this.output(name));
    const all = [...this.pipelines.values()];
    const known = all.map((p) => p.pipeline);
    const { memories, moves, init } = this;
    const { buffers, indexOf, dropped, slotBytes, peakLiveBytes } = placeMemories({
      memories: memories.all,
      steps: this.steps,
      pipelines: known,
      moves,
      besides: all.map((p) => p.mayReadBeside),
    });
    const place = (step: PlanStep): PlanStep =>
      step.kind === 'dispatch'
        ? { ...step, buffers: step.buffers.map((m) => indexOf[m] as number) }
        : { ...step, from: indexOf[step.from] as number, to: indexOf[step.to] as number };
    const placed = [...init, ...this.steps.filter((_, i) => !dropped.has(i))].map(place);
    const { steps, pipelines } = settlePipelines(placed, known, buffers);
    const placeTensor = (t: PlanTensor): PlanTensor => ({ ...t, buffer: indexOf[t.buffer] as number });
    const uniforms = new Uint8Array(this.uniformBytes);
    for (const { offset, bytes } of this.uniformChunks) uniforms.set(bytes, offset);
    return {
      name: graph.name,
      buffers,
      pipelines,
      uniforms,
      uploads: memories.uploads.map((u) => ({ ...u, buffer: indexOf[u.buffer] as number })),
      init: steps.slice(0, init.length),
      steps: steps.slice(init.length),
      inputs: inputs.map(placeTensor),
      variables: variables.map(placeTensor),
      outputs: outputs.map(placeTensor),
      nodes: this.nodes,
      memory: { weightBytes: memories.weightBytes, slotBytes, peakLiveBytes },
    };
  }

  private addNode(node: Node): void {
    const op = opOf(node);
    if (op.view) {
      this.memories.share(node.outputs[0] as string, node.inputs[0] as string);
      if (this.isConstant(node.inputs[0] as string)) this.computedAtLoad.add(node.outputs[0] as string);
      return;
    }
    if (op.overwrites) for (const [i, name] of node.outputs.entries()) this.overwrite(name, node.inputs[i] as string);
    const view = viewNode(node, this.graph.values, (name) => this.isConstant(name));
    if (view.outputs.every((o) => sizeOf(o.dims) === 0)) return;
    const found = this.candidatesOf(view);
    const chosen = found.length > 0 ? (this.options.pick?.(found, view) ?? (found[0] as Candidate)) : undefined;
    if (!chosen) throw new NoKernel(view);
    const { kernel, tunables } = chosen;
    const atLoad = !op.varies && valuesRead(node).every((name) => this.isConstant(name));
    if (atLoad) for (const name of node.outputs) this.computedAtLoad.add(name);

    const index = this.nodes.length;
    const sparsity = atLoad ? undefined : sparsityOf(view, chosen, found);
    const fused = node.op === 'lepton.Pointwise' ? [] : [node.op];
    this.nodes.push({
      name: node.name,
      op: [...fused, ...(node.program?.steps.map((s) => s.op) ?? [])].join('+'),
      kernel: textOf(chosen),
      chosenBy: chosen.measured === undefined ? 'estimate' : 'measurement',
      ...(sparsity && { sparsity }),
      flops: kernel.cost(view, tunables).flops,
      bytes: this.bytesTouched(node),
    });
    const firstStep = this.steps.length;
    for (const dispatch of kernel.dispatches(view, tunables, this.options.adapter)) {
      this.addDispatch(dispatch, node, index, atLoad);
    }
    const stretches = node.program || atLoad ? undefined : kernel.stretches?.(view);
    if (stretches) this.moves.push(this.moveOf(node, stretches, firstStep));
  }

  private overwrite(output: string, variable: string): void {
    if (!this.options.variables?.has(variable)) throw new Error(`"${variable}" is overwritten, but is no variable.`);
    this.memories.share(output, variable);
    this.overwritten.add(output);
  }

  /** Networks repeat their layers: nodes that pose one problem have one list. */
  private candidatesOf(view: NodeView): readonly Candidate[] {
    const { adapter, rates } = this.options;
    const rank = () => candidates(opOf(view.node).kernels ?? [], view, adapter, rates);
    // Kernels look at few elements of constants, mostly; long lists of indices are no part of the signature.
    if (view.inputs.some((t) => t?.array && !isFloat(t.dtype) && t.array.data.length > mostSigned)) return rank();
    const signature = signatureOf(view);
    const found = this.ranked.get(signature) ?? rank();
    this.ranked.set(signature, found);
    return found;
  }

  /** What the steps from `firstStep` on move, in bytes. */
  private moveOf(node: Node, { of, starts }: Stretches, firstStep: number): Move {
    const [whole, parts] = of === 'input' ? [node.inputs[0], node.outputs] : [node.outputs[0], node.inputs];
    const elementBytes = byteSize(deviceType(this.memories.value(whole as string).dtype));
    return {
      firstStep,
      steps: this.steps.length - firstStep,
      whole: this.memories.ofValue(whole as string, 'slot'),
      joins: of === 'output',
      parts: parts.flatMap((name, i) => {
        const start = starts[i];
        return start === undefined
          ? []
          : [{ memory: this.memories.ofValue(name, 'slot'), offset: start * elementBytes }];
      }),
    };
  }

  private addDispatch(dispatch: Dispatch, node: Node, index: number, atLoad: boolean): void {
    const shader = shaderInterface(dispatch.wgsl);
    const once = atLoad || dispatch.once === true;
    const storage = shader.bindings.filter((b) => b.access !== 'uniform');
    const buffers = storage.map(({ name }) => {
      const operand = dispatch.bindings[name];
      if (!operand) throw new Error(`${dispatch.label}: nothing is bound to "${name}".`);
      return this.operandMemory(operand, node, once, atLoad);
    });
    let uniform: { offset: number; bytes: number } | undefined;
    if (shader.bindings.some((b) => b.access === 'uniform')) {
      const bytes = packUniforms(shader, dispatch.uniforms ?? {});
      uniform = { offset: this.uniformBytes, bytes: bytes.byteLength };
      this.uniformChunks.push({ offset: this.uniformBytes, bytes });
      this.uniformBytes += Math.ceil(bytes.byteLength / 256) * 256;
    }
    const made: PlanStep = {
      kind: 'dispatch',
      pipeline: this.pipeline(dispatch),
      buffers,
      uniform,
      workgroups: dispatch.workgroups,
      node: index,
    };
    this.checkWorkgroups(made.workgroups, dispatch, node);
    (once ? this.init : this.steps).push(made);
  }

  private operandMemory(operand: Operand, node: Node, once: boolean, atLoad: boolean): number {
    const memory =
      'scratch' in operand || 'table' in operand
        ? this.memories.ofKernel(operand, node, once ? 'init' : 'slot')
        : this.memories.ofValue(operandName(operand, node), atLoad && 'output' in operand ? 'init' : 'slot');
    if (!once) this.memories.keep(memory);
    return memory;
  }

  /** A graph output gets a buffer of its own: the value's own where that is nobody else's, else a copy. */
  private output(name: string): PlanTensor {
    const { memories } = this;
    const root = memories.root(name);
    const memory = memories.ofValue(root, 'slot');
    const own = memories.all[memory] as Memory;
    if (own.role === 'slot') {
      own.role = 'output';
      return this.tensor(name, memory);
    }
    const copy = memories.add('output', own.bytes, `${name}.copy`);
    memories.keep(memory);
    const node =
      this.nodes.push({ name: `copy of ${root}`, op: 'Identity', kernel: 'copy', flops: 0, bytes: 2 * own.bytes }) - 1;
    this.steps.push({ kind: 'copy', from: memory, to: copy, bytes: own.bytes, node });
    return this.tensor(name, copy);
  }

  private pipeline(dispatch: Dispatch): number {
    const constants = dispatch.constants ?? {};
    const wgsl = this.options.adapter.features.includes('shader-f16') ? `enable f16;\n${dispatch.wgsl}` : dispatch.wgsl;
    const key = `${JSON.stringify(constants)}\n${wgsl}`;
    let entry = this.pipelines.get(key);
    if (!entry) {
      const bindings = shaderInterface(dispatch.wgsl).bindings.map(({ binding, access }) => ({ binding, access }));
      const pipeline = { label: dispatch.label, wgsl, constants, bindings };
      entry = { index: this.pipelines.size, pipeline, mayReadBeside: mayReadBeside(dispatch) };
      this.pipelines.set(key, entry);
    }
    return entry.index;
  }

  private checkWorkgroups(workgroups: readonly number[], dispatch: Dispatch, node: Node): void {
    const most = this.options.adapter.limits.maxComputeWorkgroupsPerDimension;
    if (workgroups.some((w) => w > most || w < 1 || !Number.isInteger(w))) {
      throw new LeptonError(
        'UNSUPPORTED_MODEL',
        `${dispatch.label} for node "${node.name}" would need ${formatDims(workgroups)} workgroups; a dimension holds 1 to ${most}.`,
        { details: { node: node.name, workgroups } },
      );
    }
  }

  private tensor(name: string, memory: number): PlanTensor {
    const { dtype, dims } = this.memories.value(name);
    return {
      name,
      dtype: this.options.border?.get(name) ?? dtype,
      device: deviceType(dtype),
      dims: dims as readonly number[],
      buffer: memory,
      mayOverflow: this.overflowing.has(name),
    };
  }

  private bytesTouched(node: Node): number {
    const names = new Set([...valuesRead(node), ...node.outputs.filter((o) => o !== '')]);
    return [...names].reduce((sum, name) => {
      const { dtype, dims } = this.memories.value(name);
      return sum + sizeOf(dims as readonly number[]) * byteSize(deviceType(dtype));
    }, 0);
  }

  private isConstant(name: string): boolean {
    return name === '' || this.memories.value(name).constant !== undefined || this.computedAtLoad.has(name);
  }
}

function operandName(operand: Exclude<Operand, OwnOperand>, node: Node): string {
  const name =
    'input' in operand
      ? node.inputs[operand.input]
      : 'output' in operand
        ? node.outputs[operand.output]
        : node.program?.operands[operand.operand];
  if (!name) throw new Error(`A kernel of ${node.op} binds an operand that node "${node.name}" does not have.`);
  return name;
}
