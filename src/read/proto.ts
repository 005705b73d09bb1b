// ONNX's messages as Lepton reads them: the types, and a table of field numbers for each. What no table
// names (documentation, training information, annotations) is skipped.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto

import type { Message, Piece } from './message';

export interface ModelProto {
  irVersion?: number;
  producerName?: string;
  producerVersion?: string;
  graph?: GraphProto;
  opsets: OpsetProto[];
  metadata: EntryProto[];
  functions: FunctionProto[];
}

export interface OpsetProto {
  domain?: string;
  version?: number;
}

export interface EntryProto {
  key?: string;
  value?: string;
}

export interface FunctionProto {
  name?: string;
  domain?: string;
  /** Tells functions of one name apart. */
  overload?: string;
  inputs: string[];
  outputs: string[];
  nodes: NodeProto[];
  opsets: OpsetProto[];
  /** Attributes that a call may leave out. */
  defaults: AttributeProto[];
}

export interface GraphProto {
  name?: string;
  nodes: NodeProto[];
  initializers: TensorProto[];
  sparseInitializers: SparseTensorProto[];
  inputs: ValueProto[];
  outputs: ValueProto[];
  values: ValueProto[];
}

export interface NodeProto {
  name?: string;
  op?: string;
  domain?: string;
  overload?: string;
  inputs: string[];
  outputs: string[];
  attributes: AttributeProto[];
}

export interface AttributeProto {
  name?: string;
  type?: number;
  ref?: string;
  float?: number;
  int?: number;
  string?: string;
  tensor?: TensorProto;
  graph?: GraphProto;
  floats: number[];
  ints: number[];
  strings: string[];
  sparseTensor?: SparseTensorProto;
}

export interface TensorProto {
  name?: string;
  dims: number[];
  type?: number;
  location?: number;
  external: EntryProto[];
  raw: Piece[];
  float: Piece[];
  double: Piece[];
  int32: Piece[];
  int64: Piece[];
  uint64: Piece[];
}

export interface SparseTensorProto {
  values?: TensorProto;
  indices?: TensorProto;
  dims: number[];
}

export interface ValueProto {
  name?: string;
  type?: TypeProto;
}

export interface TypeProto {
  tensor?: TensorTypeProto;
  sequence?: object;
  map?: object;
  opaque?: object;
  sparse?: object;
  optional?: object;
}

export interface TensorTypeProto {
  elementType?: number;
  shape?: ShapeProto;
}

export interface ShapeProto {
  dims: DimensionProto[];
}

export interface DimensionProto {
  value?: number;
  param?: string;
}

/** @param graph the table for the main graph: `graphProto`, perhaps with a `before` */
export function modelProto(graph: Message<GraphProto>): Message<ModelProto> {
  return {
    name: 'ModelProto',
    create: () => ({ opsets: [], metadata: [], functions: [] }),
    fields: {
      1: ['irVersion', 'int'],
      2: ['producerName', 'string'],
      3: ['producerVersion', 'string'],
      7: ['graph', () => graph],
      8: ['opsets', () => opsetProto],
      14: ['metadata', () => entryProto],
      25: ['functions', () => functionProto],
    },
  };
}

const opsetProto: Message<OpsetProto> = {
  name: 'OperatorSetIdProto',
  create: () => ({}),
  fields: { 1: ['domain', 'string'], 2: ['version', 'int'] },
};

const entryProto: Message<EntryProto> = {
  name: 'StringStringEntryProto',
  create: () => ({}),
  fields: { 1: ['key', 'string'], 2: ['value', 'string'] },
};

const functionProto: Message<FunctionProto> = {
  name: 'FunctionProto',
  create: () => ({ inputs: [], outputs: [], nodes: [], opsets: [], defaults: [] }),
  fields: {
    1: ['name', 'string'],
    4: ['inputs', 'strings'],
    5: ['outputs', 'strings'],
    7: ['nodes', () => nodeProto],
    9: ['opsets', () => opsetProto],
    10: ['domain', 'string'],
    11: ['defaults', () => attributeProto],
    13: ['overload', 'string'],
  },
};

export const graphProto: Message<GraphProto> = {
  name: 'GraphProto',
  create: () => ({ nodes: [], initializers: [], sparseInitializers: [], inputs: [], outputs: [], values: [] }),
  fields: {
    1: ['nodes', () => nodeProto],
    2: ['name', 'string'],
    5: ['initializers', () => tensorProto],
    11: ['inputs', () => valueProto],
    12: ['outputs', () => valueProto],
    13: ['values', () => valueProto],
    15: ['sparseInitializers', () => sparseTensorProto],
  },
};

const nodeProto: Message<NodeProto> = {
  name: 'NodeProto',
  create: () => ({ inputs: [], outputs: [], attributes: [] }),
  fields: {
    1: ['inputs', 'strings'],
    2: ['outputs', 'strings'],
    3: ['name', 'string'],
    4: ['op', 'string'],
    5: ['attributes', () => attributeProto],
    7: ['domain', 'string'],
    8: ['overload', 'string'],
  },
};

const attributeProto: Message<AttributeProto> = {
  name: 'AttributeProto',
  create: () => ({ floats: [], ints: [], strings: [] }),
  fields: {
    1: ['name', 'string'],
    2: ['float', 'float'],
    3: ['int', 'int'],
    4: ['string', 'string'],
    5: ['tensor', () => tensorProto],
    6: ['graph', () => graphProto],
    7: ['floats', 'floats'],
    8: ['ints', 'ints'],
    9: ['strings', 'strings'],
    22: ['sparseTensor', () => sparseTensorProto],
    20: ['type', 'int'],
    21: ['ref', 'string'],
  },
};

const tensorProto: Message<TensorProto> = {
  name: 'TensorProto',
  create: () => ({ dims: [], external: [], raw: [], float: [], double: [], int32: [], int64: [], uint64: [] }),
  fields: {
    1: ['dims', 'ints'],
    2: ['type', 'int'],
    4: ['float', 'stored'],
    5: ['int32', 'packed'],
    7: ['int64', 'packed'],
    8: ['name', 'string'],
    9: ['raw', 'stored'],
    10: ['double', 'stored'],
    11: ['uint64', 'packed'],
    13: ['external', () => entryProto],
    14: ['location', 'int'],
  },
};

const sparseTensorProto: Message<SparseTensorProto> = {
  name: 'SparseTensorProto',
  create: () => ({ dims: [] }),
  fields: { 1: ['values', () => tensorProto], 2: ['indices', () => tensorProto], 3: ['dims', 'ints'] },
};

const valueProto: Message<ValueProto> = {
  name: 'ValueInfoProto',
  create: () => ({}),
  fields: { 1: ['name', 'string'], 2: ['type', () => typeProto] },
};

/** For messages of which only the presence matters. */
const anyProto: Message<object> = { name: 'TypeProto', create: () => ({}), fields: {} };

const typeProto: Message<TypeProto> = {
  name: 'TypeProto',
  create: () => ({}),
  fields: {
    1: ['tensor', () => tensorTypeProto],
    4: ['sequence', () => anyProto],
    5: ['map', () => anyProto],
    7: ['opaque', () => anyProto],
    8: ['sparse', () => anyProto],
    9: ['optional', () => anyProto],
  },
};

const tensorTypeProto: Message<TensorTypeProto> = {
  name: 'TypeProto.Tensor',
  create: () => ({}),
  fields: { 1: ['elementType', 'int'], 2: ['shape', () => shapeProto] },
};

const shapeProto: Message<ShapeProto> = {
  name: 'TensorShapeProto',
  create: () => ({ dims: [] }),
  fields: { 1: ['dims', () => dimensionProto] },
};

const dimensionProto: Message<DimensionProto> = {
  name: 'TensorShapeProto.Dimension',
  create: () => ({}),
  fields: { 1: ['value', 'int'], 2: ['param', 'string'] },
};
