// Accesses of the recurrent shaders to tensors that a node may lack: functions, which give 0 or do nothing where the
// tensor is absent.

import type { Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { type ComputeScalar, elemAliases, wordType } from '../wgsl/elements';

/** The function takes an index and gives an f32. */
export interface Read {
  readonly variable: string;
  readonly operand: { readonly input: number };
  readonly function: string;
}

/** The function takes an index and an f32. */
export interface Write {
  readonly variable: string;
  readonly operand: { readonly output: number };
  readonly function: string;
}

export interface Accesses {
  readonly text: string;
  readonly bindings: Readonly<Record<string, Operand>>;
}

/** Sequence lengths are this input of every recurrent operator. */
const lengths = 3;

/** Declares the tensors behind the named functions, as far as the node has them, from binding `first` on. */
export function accessesOf(
  n: NodeView,
  { reads, writes }: { readonly reads: readonly Read[]; readonly writes: readonly Write[] },
  names: readonly string[],
  first = 4,
): Accesses {
  const elem = wordType(n.input(0).dtype);
  const lines = [elemAliases(n.input(0).dtype)];
  const bindings: Record<string, Operand> = {};
  const declare = (variable: string, access: string, type: ComputeScalar | 'elem', operand: Operand) => {
    const binding = first + Object.keys(bindings).length;
    lines.push(`@group(0) @binding(${binding}) var<storage, ${access}> ${variable}: array<${type}>;`);
    bindings[variable] = operand;
  };
  for (const { variable, operand, function: name } of reads) {
    if (!names.includes(name)) continue;
    const present = n.has(operand.input);
    if (present) declare(variable, 'read', 'elem', operand);
    lines.push(`fn ${name}(i: u32) -> f32 { return ${present ? `f32(${variable}[i])` : '0.0'}; }`);
  }
  for (const { variable, operand, function: name } of writes) {
    if (!names.includes(name)) continue;
    const present = n.wants(operand.output);
    if (present) declare(variable, 'read_write', 'elem', operand);
    lines.push(`fn ${name}(i: u32, v: f32) { ${present ? `${variable}[i] = ${elem}(v);` : ''} }`);
  }
  if (names.includes('lengths')) {
    if (n.has(lengths)) declare('lengths', 'read', 'i32', { input: lengths });
    const length = n.has(lengths) ? 'u32(clamp(lengths[b], 0, i32(params.steps)))' : 'params.steps';
    lines.push(`fn length_of(b: u32) -> u32 { return ${length}; }`);
  }
  return { text: lines.join('\n'), bindings };
}
