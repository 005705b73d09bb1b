// How an operator runs on the GPU: variants (`Kernel`), each turning a node into dispatches. Plain data
// only; no GPU object. Binding numbers, access and uniform layout are read from the WGSL text itself
// (wgsl-interface.ts), so names are all that a kernel and its shader must agree on.

import type { AdapterProfile } from '../base/adapter';
import type { UniformValue } from '../base/wgsl-interface';
import type { NodeView } from './node-view';

/** What a shader variable is bound to. */
export type Operand =
  | { readonly input: number }
  | { readonly operand: number } // of the node's fused program
  | { readonly output: number }
  /** Memory of the kernel's own, by name within the node. Written by a `once` dispatch it stays for good. */
  | { readonly scratch: string; readonly bytes: number }
  /** What planning has computed for the kernel, by name within the node: small, read only. */
  | { readonly table: string; readonly data: Uint32Array<ArrayBuffer> };

export interface Dispatch {
  /** Owner.part, for labels and errors: 'Conv.implicitGemm'. */
  readonly label: string;
  readonly wgsl: string;
  /** Values of the shader's `override` constants. */
  readonly constants?: Readonly<Record<string, number>>;
  /** By variable name; every storage variable of the shader must be here. */
  readonly bindings: Readonly<Record<string, Operand>>;
  /** By field name of the shader's one uniform struct, if it has one. */
  readonly uniforms?: Readonly<Record<string, UniformValue>>;
  readonly workgroups: readonly [number, number, number];
  /** Run at load instead of every run: packs constants. It may read only constant inputs. */
  readonly once?: boolean;
  /**
   * Which invocations reach the shader's barriers and subgroup operations never hangs on what it reads from storage.
   * Nobody needs to say so of a shader that has none of them.
   */
  readonly uniformFlow?: boolean;
}

export type Tunables = Readonly<Record<string, number>>;

/** Counted work of a variant, from which a roofline estimate ranks variants before anything is timed. */
export interface Cost {
  /** Floating-point operations, padding of partial tiles included. */
  readonly flops: number;
  /** Bytes that all invocations together load from and store to storage buffers, re-reads included. */
  readonly traffic: number;
  /** Bytes that move through workgroup memory, reads and writes. */
  readonly shared?: number;
  /**
   * Bytes of workgroup memory times the invocations that share it, over all workgroups. A software adapter
   * clears the memory again for every few invocations, which is most of what such a kernel costs there.
   */
  readonly cleared?: number;
  /** Further operations on a software adapter, which has to spell out instructions that a GPU has. */
  readonly emulated?: number;
  readonly workgroups: number;
  readonly dispatches?: number;
}

export interface Stretches {
  /** The large tensor. */
  readonly of: 'input' | 'output';
  /** For each output (input) the element of it where that one begins; undefined for those without elements. */
  readonly starts: readonly (number | undefined)[];
}

// biome-ignore lint/suspicious/noExplicitAny: a list of kernels is read without knowing each operator's attributes
export interface Kernel<A = any> {
  readonly name: string;
  /**
   * Compiles in a fraction of the time that others take, having few loads and no barrier: what a first run may be done
   * with where compiling takes long (plan/quick.ts). It needs nothing packed.
   */
  readonly plain?: boolean;
  /** Leaves out the zeros of a constant. The best of those that do not is always measured beside. */
  readonly sparse?: boolean;
  /** Tunable parameters with the values worth trying, the default first. */
  readonly space?: Readonly<Record<string, readonly number[]>>;
  /** Whether the variant can run this node at all on this adapter. Default: always. */
  when?(n: NodeView<A>, adapter: AdapterProfile): boolean;
  /** Whether a combination of tunables is legal for the node and adapter. Default: always. */
  legal?(n: NodeView<A>, t: Tunables, adapter: AdapterProfile): boolean;
  cost(n: NodeView<A>, t: Tunables): Cost;
  dispatches(n: NodeView<A>, t: Tunables, adapter: AdapterProfile): readonly Dispatch[];
  /**
   * The axis of output 0 that an epilogue's per-channel operands may follow; absent where the variant
   * has no epilogue and the node's program must run as a kernel of its own.
   */
  epilogueAxis?(n: NodeView<A>): number;
  /**
   * Where all that the variant does is to move whole stretches of memory: of input 0 to the outputs, or of the inputs to
   * output 0. Planning then leaves the dispatches out where it can have the small tensors lie within the large one.
   */
  stretches?(n: NodeView<A>): Stretches | undefined;
  /** The program may end in another element type than the bare result's; `when` says whether in that one. */
  readonly converts?: boolean;
}
