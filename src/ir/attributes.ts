// How an operator declares its attributes: name, kind and default. Reading a node against the
// declaration gives a typed record, or a LeptonError that names the attribute.

import type { DType } from '../base/dtype';
import { LeptonError } from '../base/errors';
import type { AttributeValue, Constant, Graph, Node } from './graph';

export interface TensorAttribute {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly constant: Constant;
}

interface Kinds {
  int: number;
  float: number;
  string: string;
  ints: readonly number[];
  floats: readonly number[];
  strings: readonly string[];
  tensor: TensorAttribute;
  graph: Graph;
}

export interface AttributeSpec<T> {
  readonly kind: keyof Kinds;
  readonly fallback: T | undefined;
  readonly required: boolean;
}

export type AttributeSchema = Readonly<Record<string, AttributeSpec<unknown>>>;
export type AttributesOf<S extends AttributeSchema> = {
  readonly [K in keyof S]: S[K] extends AttributeSpec<infer T> ? T : never;
};

function optional<K extends keyof Kinds>(kind: K) {
  function spec(): AttributeSpec<Kinds[K] | undefined>;
  function spec(fallback: Kinds[K]): AttributeSpec<Kinds[K]>;
  function spec(fallback?: Kinds[K]): AttributeSpec<Kinds[K] | undefined> {
    return { kind, fallback, required: false };
  }
  return spec;
}

export const int = optional('int');
export const float = optional('float');
export const string = optional('string');
export const ints = optional('ints');
export const floats = optional('floats');
export const strings = optional('strings');
export const tensor = optional('tensor');
export const graph = optional('graph');

export function required<K extends keyof Kinds>(kind: K): AttributeSpec<Kinds[K]> {
  return { kind, fallback: undefined, required: true };
}

export function readAttributes<S extends AttributeSchema>(node: Node, schema: S): AttributesOf<S> {
  const out: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(schema)) {
    const value = node.attributes[name];
    if (value === undefined) {
      if (spec.required) {
        throw new LeptonError(
          'INVALID_MODEL',
          `${node.op} node "${node.name}" lacks the attribute "${name}" (${spec.kind}).`,
          { details: { node: node.name, attribute: name } },
        );
      }
      out[name] = spec.fallback;
    } else {
      out[name] = convert(value, spec.kind) ?? mismatch(node, name, spec.kind);
    }
  }
  return out as AttributesOf<S>;
}

function convert(value: AttributeValue, kind: keyof Kinds): unknown {
  switch (kind) {
    case 'int':
    case 'float':
      return typeof value === 'number' ? value : undefined;
    case 'string':
      return typeof value === 'string' ? value : undefined;
    case 'ints':
    case 'floats':
      return isList(value) && value.every((v) => typeof v === 'number') ? value : undefined;
    case 'strings':
      return isList(value) && value.every((v) => typeof v === 'string') ? value : undefined;
    case 'tensor':
      return typeof value === 'object' && 'tensor' in value ? value.tensor : undefined;
    case 'graph':
      return typeof value === 'object' && 'graph' in value ? value.graph : undefined;
  }
}

function isList(value: AttributeValue): value is readonly number[] | readonly string[] {
  return Array.isArray(value);
}

function mismatch(node: Node, name: string, kind: string): never {
  throw new LeptonError(
    'INVALID_MODEL',
    `Attribute "${name}" of ${node.op} node "${node.name}" is not of kind ${kind}.`,
    {
      details: { node: node.name, attribute: name },
    },
  );
}
