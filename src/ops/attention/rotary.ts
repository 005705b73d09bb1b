// Rotary position embedding as RotaryEmbedding takes it: what is turned, and by plain reads what it becomes.

import { isFloat } from '../../base/dtype';
import type { NDArray } from '../../base/ndarray';
import { formatDims, sameDims } from '../../base/shape';
import type { NodeView } from '../../ir/node-view';
import { type Layout, layoutOf } from './problem';
import type { Read } from './reference';

export interface RotaryAttributes {
  readonly interleaved: number;
  readonly num_heads: number;
  readonly rotary_embedding_dim: number;
}

export interface Turn extends Layout {
  /** Elements of a head that are turned, and pairs in a row of cosines. */
  readonly turned: number;
  readonly width: number;
}

export function turnOf(n: NodeView<RotaryAttributes>): Turn {
  const { num_heads, rotary_embedding_dim } = n.attributes;
  const [x, cosines, sines, ids] = [n.input(0), n.input(1), n.input(2), n.inputs[3]];
  if (!isFloat(x.dtype) || cosines.dtype !== x.dtype || sines.dtype !== x.dtype)
    n.fail('needs its input, cosines and sines of one float type');
  const layout = layoutOf(n, x.dims, num_heads, 'an input');
  const tokens = [layout.batch, layout.length];
  const turned = rotary_embedding_dim || layout.depth;
  const width = cosines.dims.at(-1) ?? 0;
  if (turned % 2 !== 0 || turned > layout.depth) n.fail(`turns ${turned} of the ${layout.depth} elements of a head`);
  const lead = ids ? cosines.dims.length === 2 && cosines.dims[0] !== 0 : sameDims(cosines.dims.slice(0, -1), tokens);
  if (!lead || width < turned / 2 || !sameDims(cosines.dims, sines.dims)) {
    const expected = ids ? `[_, ${turned / 2}]` : formatDims([...tokens, turned / 2]);
    n.fail(
      `needs cosines and sines of shape ${expected}, but has ${formatDims(cosines.dims)} and ${formatDims(sines.dims)}`,
    );
  }
  if (ids && !sameDims(ids.dims, tokens)) n.fail(`needs position_ids of shape ${formatDims(tokens)}`);
  return { ...layout, turned, width };
}

/** The angles of a model: a row of cosines and sines for each token that a read may ask for. */
interface Angles {
  readonly cosines: NDArray;
  readonly sines: NDArray;
  /** Elements of a head that are turned, pairs in a row, and whether pairs are neighbours. */
  readonly turned: number;
  readonly width: number;
  readonly interleaved: number;
  rowOf(batch: number, position: number): number;
}

export function turnedReader(read: Read, angles: Angles): Read {
  const { cosines, sines, turned, width, interleaved } = angles;
  const half = turned / 2;
  const apart = interleaved ? 1 : half;
  return (b, h, i, d) => {
    const value = read(b, h, i, d);
    if (d >= turned) return value;
    const [pair, isFirst] = interleaved ? [d >> 1, d % 2 === 0] : [d % half, d < half];
    const at = angles.rowOf(b, i) * width + pair;
    const [cos, sin] = [cosines.data[at] as number, sines.data[at] as number];
    return isFirst ? value * cos - read(b, h, i, d + apart) * sin : value * cos + read(b, h, i, d - apart) * sin;
  };
}
