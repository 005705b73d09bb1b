// Products with weights that Lepton's compressor made smaller: integers of 8 and 4 bits, 2:4, and integers that are mostly
// zeros, against the same product of float32. They are x·W, as layers of networks are: only weights that are the second
// operand stay integers on the GPU.

import { compressModel } from '../../../src/compress/model';
import type { CompressOptions } from '../../../src/compress/types';
import type { BenchCase } from '../cases/case';
import { percent, type SparseShape, shapeOf } from './shape';

interface Form {
  readonly structure: string;
  readonly zeros: number;
  readonly options: CompressOptions;
}

const forms: readonly Form[] = [
  { structure: 'int8', zeros: 0, options: { quantize: 'int8' } },
  { structure: 'int4', zeros: 0, options: { quantize: 'int4' } },
  { structure: '2:4', zeros: 0.5, options: { prune: { structure: '2:4' } } },
  { structure: 'int8, random', zeros: 0.9, options: { prune: 0.9, quantize: 'int8' } },
];

/** Rows of x, times weights of inputs × outputs. */
function compressed(rows: number, inputs: number, outputs: number): SparseShape {
  const shape = shapeOf(
    {
      ...{ name: `x·W, ${rows} × ${inputs}×${outputs}`, dims: [inputs, outputs] },
      ...{ input: [rows, inputs], output: [rows, outputs] },
      add: (network, weights) => network.named('y', 'MatMul', ['x', weights]),
    },
    [],
  );
  return { ...shape, levels: forms.map((form) => ({ ...form, test: smaller(shape.dense, shape.name, form) })) };
}

function smaller(dense: BenchCase, name: string, { structure, zeros, options }: Form): BenchCase {
  return {
    ...dense,
    name: `sparse ${name}, ${structure}, ${percent(zeros)} zeros`,
    model: async () => (await compressModel(await dense.model(), { options })).bytes,
  };
}

export function compressedShapes(): SparseShape[] {
  const sizes = [
    [768, 768],
    [768, 3072],
    [4096, 1024],
  ] as const;
  return sizes.flatMap(([inputs, outputs]) => [1, 64].map((rows) => compressed(rows, inputs, outputs)));
}
