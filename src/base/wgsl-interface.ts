// Reads a shader's interface out of its own text: storage bindings by name, and the layout of its one
// uniform struct. So binding numbers and struct offsets are never counted by hand in TypeScript.

/** A scalar, or the numbers of a vector or an array of vectors in order. */
export type UniformValue = number | readonly number[];

export interface ShaderBinding {
  readonly name: string;
  readonly binding: number;
  readonly access: 'read' | 'read_write' | 'uniform';
}

export interface UniformField {
  readonly name: string;
  readonly offset: number;
  readonly scalar: 'u32' | 'i32' | 'f32';
  /** Numbers the field holds: 1 for a scalar, 4 × length for arrays of vectors. */
  readonly count: number;
}

export interface ShaderInterface {
  readonly bindings: readonly ShaderBinding[];
  readonly uniforms: readonly UniformField[];
  readonly uniformBytes: number;
}

const cache = new Map<string, ShaderInterface>();

export function shaderInterface(wgsl: string): ShaderInterface {
  let known = cache.get(wgsl);
  if (!known) {
    known = parse(wgsl);
    cache.set(wgsl, known);
  }
  return known;
}

function parse(wgsl: string): ShaderInterface {
  const text = wgsl.replace(/\/\/.*$/gm, '');
  const bindings: ShaderBinding[] = [];
  let uniformType: string | undefined;
  const declaration =
    /@group\(0\)\s*@binding\((\d+)\)\s*var<\s*(storage|uniform)\s*(?:,\s*(read|read_write)\s*)?>\s*(\w+)\s*:\s*([\w<>, ]+?)\s*;/g;
  for (const [, binding, space, access, name, type] of text.matchAll(declaration)) {
    if (space === 'uniform') uniformType = type;
    bindings.push({
      name: name as string,
      binding: Number(binding),
      access: space === 'uniform' ? 'uniform' : access === 'read_write' ? 'read_write' : 'read',
    });
  }
  const uniforms: UniformField[] = [];
  let offset = 0;
  if (uniformType) {
    const body = new RegExp(`struct\\s+${uniformType}\\s*\\{([^}]*)\\}`).exec(text)?.[1];
    if (body === undefined) throw new Error(`Shader has no struct ${uniformType} for its uniforms.`);
    for (const [, name, type] of body.matchAll(/(\w+)\s*:\s*([^,}]+?(?:<[^>]*>)?)\s*(?:,(?![^<]*>)|$)/g)) {
      const field = fieldOf(name as string, (type as string).trim(), offset);
      uniforms.push(field);
      offset = field.offset + field.count * 4;
    }
  }
  return { bindings, uniforms, uniformBytes: Math.ceil(offset / 16) * 16 };
}

const vectorScalar = { u: 'u32', i: 'i32', f: 'f32' } as const;

function fieldOf(name: string, type: string, end: number): UniformField {
  if (type === 'u32' || type === 'i32' || type === 'f32') return { name, offset: end, scalar: type, count: 1 };
  const vector = /^(?:array<\s*)?vec4([uif])(?:\s*,\s*(\d+)u?\s*>)?$/.exec(type);
  if (!vector) throw new Error(`Uniform field ${name}: ${type} is not a 32-bit scalar, a vec4 or an array of vec4.`);
  return {
    name,
    offset: Math.ceil(end / 16) * 16,
    scalar: vectorScalar[vector[1] as 'u' | 'i' | 'f'],
    count: 4 * Number(vector[2] ?? 1),
  };
}

/** The bytes of the uniform struct, as the shader will read them. Every field must be given. */
export function packUniforms(
  shader: ShaderInterface,
  values: Readonly<Record<string, UniformValue>>,
): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(shader.uniformBytes));
  for (const field of shader.uniforms) {
    const value = values[field.name];
    if (value === undefined) throw new Error(`Uniform field ${field.name} is not given.`);
    const list = typeof value === 'number' ? [value] : value;
    if (list.length > field.count)
      throw new Error(`Uniform field ${field.name} holds ${field.count} numbers, not ${list.length}.`);
    list.forEach((v, i) => {
      const at = field.offset + 4 * i;
      if (field.scalar === 'f32') view.setFloat32(at, v, true);
      else if (field.scalar === 'i32') view.setInt32(at, v, true);
      else view.setUint32(at, v, true);
    });
  }
  return new Uint8Array(view.buffer);
}
