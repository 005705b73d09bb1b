// Layers that others have pruned, and graphs: the shared data's matrices in their own shapes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../.ci/command';
import { sharedDataFolder } from '../../../.ci/shared-data';
import { csrToDense } from '../../../src/ops/sparse/csr';
import { readMatrixMarket, readSmtx } from '../../sparse/matrix-files';
import { mulberry32 } from '../../support/random';
import { product, type SparseShape } from './shape';

/** A matrix that others have pruned, in its own shape. */
function pruned(name: string, file: string, n: number): SparseShape[] {
  const path = join(sharedDataFolder(root), 'sparse', file);
  const random = mulberry32(5);
  const read = () => {
    const text = readFileSync(path, 'utf8');
    return file.endsWith('.smtx') ? readSmtx(text, () => 0.02 + 0.03 * random()) : readMatrixMarket(text);
  };
  const { rows, columns, values } = read();
  const zeros = 1 - values.data.length / (rows * columns);
  const weights = { structure: name, zeros, data: () => Float32Array.from(csrToDense(read()).data) };
  return [product(rows, columns, n, [weights])];
}

const dlmc = (file: string) => `dlmc/${file}.smtx`;
const attention = 'multihead_attention_q_fully_connected';

/** @throws where the shared data is not there */
export function prunedShapes(): SparseShape[] {
  return [
    ...pruned(
      'DLMC, magnitude',
      dlmc(`transformer__magnitude_pruning__0.8__body_encoder_layer_5_self_attention_${attention}`),
      64,
    ),
    ...pruned(
      'DLMC, magnitude',
      dlmc(`transformer__magnitude_pruning__0.9__body_encoder_layer_2_self_attention_${attention}`),
      64,
    ),
    ...pruned(
      'DLMC, magnitude',
      dlmc('transformer__magnitude_pruning__0.95__body_encoder_layer_3_ffn_conv2_fully_connected'),
      64,
    ),
    ...pruned('DLMC, variational dropout', dlmc('rn50__variational_dropout__0.9__bottleneck_3_block_group3_5_1'), 64),
    ...pruned('DLMC, random', dlmc('rn50__random_pruning__0.98__bottleneck_3_block_group3_2_1'), 64),
    ...pruned('Cora, a graph', 'citation-graphs/cora.mtx', 64),
  ];
}
