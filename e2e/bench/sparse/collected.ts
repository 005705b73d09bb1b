// Layers that others have pruned, and graphs: the shared data's matrices in their own shapes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../../.ci/command';
import { sharedDataFolder } from '../../../.ci/shared-data';
import { csrToDense } from '../../../src/ops/sparse/csr';
import { readMatrixMarket, readSmtx } from '../../sparse/matrix-files';
import { mulberry32 } from '../../support/random';
import { product, type SparseShape } from './shape';

/** Where the matrix lies, what it is, and with how many columns of the other factor it is multiplied. */
interface Source {
  readonly file: string;
  readonly name: string;
  readonly columns: readonly number[];
}

const dlmc = (name: string, file: string, columns = [64]): Source => ({
  ...{ name: `DLMC, ${name}`, file: `dlmc/${file}.smtx` },
  columns,
});
const attention = 'self_attention_multihead_attention_q_fully_connected';

/** Each of at most 64 MiB where it is dense, as peers and the dense kernel have it. */
const sources: readonly Source[] = [
  dlmc('magnitude', `transformer__magnitude_pruning__0.8__body_encoder_layer_5_${attention}`),
  dlmc('magnitude', `transformer__magnitude_pruning__0.9__body_encoder_layer_2_${attention}`),
  dlmc('magnitude', 'transformer__magnitude_pruning__0.95__body_encoder_layer_3_ffn_conv2_fully_connected'),
  dlmc('L0', 'transformer__l0_regularization__0.9__body_decoder_layer_2_ffn_conv1', [1, 64]),
  dlmc('magnitude', 'rn50__magnitude_pruning__0.95__bottleneck_1_block_group3_5_1'),
  dlmc('magnitude, of a 3×3 convolution', 'rn50__magnitude_pruning__0.9__bottleneck_2_block_group4_1_1'),
  dlmc('variational dropout', 'rn50__variational_dropout__0.9__bottleneck_3_block_group3_5_1'),
  dlmc('variational dropout', 'rn50__variational_dropout__0.9__bottleneck_1_block_group_projection_block_group4'),
  dlmc('random', 'rn50__random_pruning__0.98__bottleneck_3_block_group3_2_1'),
  { name: 'Cora, a graph', file: 'citation-graphs/cora.mtx', columns: [64] },
  { name: 'Citeseer, a graph', file: 'citation-graphs/citeseer.mtx', columns: [64] },
  { name: 'bcspwr09, a power grid', file: 'suitesparse-graphs/bcspwr09.mtx', columns: [64] },
  { name: 'bcsstk13, a stiffness matrix', file: 'lagraph/bcsstk13.mtx', columns: [64] },
];

function collected({ file, name, columns: widths }: Source): SparseShape[] {
  const path = join(sharedDataFolder(root), 'sparse', file);
  const random = mulberry32(5);
  const read = () => {
    const text = readFileSync(path, 'utf8');
    return file.endsWith('.smtx') ? readSmtx(text, () => 0.02 + 0.03 * random()) : readMatrixMarket(text);
  };
  const { rows, columns, values } = read();
  const zeros = 1 - values.data.length / (rows * columns);
  const weights = { structure: name, zeros, data: () => Float32Array.from(csrToDense(read()).data) };
  return widths.map((width) => product(rows, columns, width, [weights]));
}

/** @throws where the shared data is not there */
export const collectedShapes = () => sources.flatMap(collected);
