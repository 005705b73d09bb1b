// The memories that a plan's steps refer to: one for each value that shares no other's, for each kernel's scratch and for each
// table. Also what is uploaded to them at load. Where they lie, place.ts says.

import type { AdapterProfile } from '../base/adapter';
import { toDevice } from '../base/device-form';
import { deviceBytes, deviceType } from '../base/dtype';
import { LeptonError } from '../base/errors';
import { encode } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import type { Graph, Node, Value } from '../ir/graph';
import type { Operand } from '../ir/kernel';
import type { Memory } from './place';
import type { BufferRole, PlanUpload } from './plan';

export type OwnOperand = Extract<Operand, { scratch: string } | { table: string }>;

export class ValueMemories {
  readonly all: Memory[] = [];
  /** Their buffers are memories. */
  readonly uploads: PlanUpload[] = [];
  private readonly indexOf = new Map<string, number>();
  /** Value → the value whose bytes it shares. */
  private readonly aliasOf = new Map<string, string>();

  constructor(
    private readonly graph: Graph,
    private readonly limits: AdapterProfile['limits'],
  ) {}

  value(name: string): Value {
    const value = this.graph.values.get(name);
    if (!value) throw new Error(`No value "${name}" in graph "${this.graph.name}".`);
    return value;
  }

  share(value: string, other: string): void {
    this.aliasOf.set(value, other);
  }

  /** The value whose bytes this one shares, at the end of the chain. */
  root(value: string): string {
    let at = value;
    for (let next = this.aliasOf.get(at); next !== undefined; next = this.aliasOf.get(at)) at = next;
    return at;
  }

  /** The memory of a value, made (and its upload noted) on first use. */
  ofValue(value: string, role: BufferRole): number {
    const name = this.root(value);
    const existing = this.indexOf.get(name);
    if (existing !== undefined) return existing;
    const { dtype, dims, constant } = this.value(name);
    const bytes = deviceBytes(dtype, sizeOf(dims as readonly number[]));
    const memory = this.add(constant ? 'init' : role, bytes, name);
    this.indexOf.set(name, memory);
    if (constant?.kind === 'inline') {
      const to = deviceType(dtype);
      const source = toDevice(constant.array.dtype, to, encode(constant.array), name);
      this.uploads.push({ buffer: memory, tensor: name, from: dtype, to, source });
    } else if (constant) {
      const { bytes: source } = constant;
      this.uploads.push({ buffer: memory, tensor: name, from: source.dtype ?? dtype, to: deviceType(dtype), source });
    }
    return memory;
  }

  /** What a kernel has for itself, known by the first output of its node. */
  ofKernel(operand: OwnOperand, node: Node, role: BufferRole): number {
    const own = 'scratch' in operand ? operand.scratch : operand.table;
    const key = `${node.outputs[0]} scratch ${own}`;
    const existing = this.indexOf.get(key);
    if (existing !== undefined) return existing;
    const label = `${node.name}.${own}`;
    const memory = 'scratch' in operand ? this.add(role, operand.bytes, label) : this.addTable(operand.data, label);
    this.indexOf.set(key, memory);
    return memory;
  }

  /** @throws UNSUPPORTED_MODEL where the adapter binds no buffer as large */
  add(role: BufferRole, bytes: number, label: string): number {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.limits;
    const most = Math.min(maxBufferSize, maxStorageBufferBindingSize);
    if (bytes > most) {
      const advice =
        role === 'init'
          ? 'Constants are on the GPU in one piece while a model loads, sparse tensors as dense ones: split it into smaller ones.'
          : 'Use smaller inputs or a smaller model.';
      throw new LeptonError(
        'UNSUPPORTED_MODEL',
        `Tensor "${label}" takes ${bytes} bytes, but this GPU binds at most ${most} bytes at once. ${advice}`,
        { details: { tensor: label, bytes, limit: most } },
      );
    }
    return this.all.push({ role, bytes, label }) - 1;
  }

  /** A step of the run uses the memory: what it needs of what is made at load must stay. */
  keep(memory: number): void {
    const kept = this.all[memory] as Memory;
    if (kept.role === 'init') kept.role = 'weight';
  }

  /** Of what stays for all runs. */
  get weightBytes(): number {
    return this.all.reduce((sum, m) => sum + (m.role === 'weight' ? m.bytes : 0), 0);
  }

  private addTable(data: Uint32Array<ArrayBuffer>, label: string): number {
    const memory = this.add('init', data.byteLength, label);
    const source = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    this.uploads.push({ buffer: memory, tensor: label, from: 'uint32', to: 'uint32', source });
    return memory;
  }
}
