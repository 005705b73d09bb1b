// DFT and STFT: the discrete Fourier transform of the lines along an axis, and of the overlapping frames of a
// signal. Both are lepton.DFT, the transform of lines of any length, which has the kernels. Complex tensors have
// a last axis of two components; real ones of one.

import type { DType } from '../base/dtype';
import { isFloat } from '../base/dtype';
import { int64s, type NDArray, ndarray, scalar } from '../base/ndarray';
import { formatDims, sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import { NodeView, type TensorType } from '../ir/node-view';
import { defineOp, type LowerBuilder } from '../ir/opdef';
import { axisOf } from './axes';
import { Formula, padded, reshape } from './gradient';
import { dftCases, stftCases } from './signal/cases';
import { chirpOf, primeFactors, turnsOf } from './signal/fourier';
import { lineKernels } from './signal/kernels';
import { type LinesNode, lineAttributes, linesOf, linesReference } from './signal/lines';

/** Above this, a prime length is transformed by way of convolution with a chirp. */
const largestPrime = 256;

type DftView = NodeView<{ readonly inverse: number; readonly onesided: number }>;
type StftView = NodeView<{ readonly onesided: number }>;
type Options = LinesNode['attributes'];

function complexTable(values: Float64Array): NDArray {
  return ndarray('float32', [values.length / 2, 2], values);
}

/** The node as the transform of lines that it is, on the host; `turns` in full precision. */
function onHost(n: NodeView, options: Options, turns: Float64Array, inputs: readonly (NDArray | undefined)[]): NDArray {
  const table = ndarray('float64', [turns.length / 2, 2], turns);
  const all = [inputs[0], table, ...inputs.slice(1)];
  const types = all.map((a) => a && { dtype: a.dtype, dims: a.dims, isConstant: false });
  return linesReference(new NodeView(n.node, options, types), all)[0] as NDArray;
}

function checkSignal(n: NodeView, dtype: DType, dims: readonly number[]): void {
  const components = dims.at(-1);
  if (!isFloat(dtype)) n.fail(`transforms ${dtype}; expected floats`);
  if (dims.length < 2 || (components !== 1 && components !== 2))
    n.fail(`has a signal ${formatDims(dims)}; expected a last axis of 1 (real) or 2 (complex)`);
}

/** Inputs: signal, optional dft_length, optional axis. */
function dftOf(n: DftView): { length: number; options: Options; dims: number[] } {
  const { dtype, dims } = n.input(0);
  checkSignal(n, dtype, dims);
  const axis = axisOf(n, n.numbers(2)?.[0] ?? -2, dims.length);
  if (axis === dims.length - 1) n.fail(`transforms axis ${axis}, which holds the components`);
  const { inverse, onesided } = n.attributes;
  // The inverse of a real signal's transform: half a spectrum in, real numbers out.
  const toReal = inverse !== 0 && onesided !== 0;
  const size = dims[axis] as number;
  const length = n.numbers(1)?.[0] ?? (toReal ? 2 * (size - 1) : size);
  if (!(length >= 1)) n.fail(`has the dft_length ${length}; expected at least 1`);
  const bins = onesided && !toReal ? Math.floor(length / 2) + 1 : length;
  const options = {
    axis,
    bins,
    frame_step: 0,
    mirror: toReal ? length : 0,
    real: toReal ? 1 : 0,
    normalize: inverse ? 1 : 0,
  };
  return { length, options, dims: [...dims.with(axis, bins).slice(0, -1), toReal ? 1 : 2] };
}

const dft = defineOp({
  name: 'DFT',
  attributes: { inverse: int(0), onesided: int(0) },
  infer: (n) => [{ dtype: n.input(0).dtype, dims: dftOf(n).dims }],
  reference(n, [x]) {
    const { length, options } = dftOf(n);
    return [onHost(n, options, turnsOf(length, n.attributes.inverse !== 0), [x])];
  },
  // The conjugate transform; of half a spectrum, each bin but the first and the middle one stands for two, and those
  // behind the middle for none.
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const { length, options } = dftOf(n);
    const { dtype, dims } = n.input(0);
    const { axis } = options;
    const f = new Formula(b, dtype);
    const inverse = n.attributes.inverse !== 0;
    const lengths = [b.constant(scalar('int64', length)), b.constant(scalar('int64', axis))];
    const back = f.node('DFT', [gradient, ...lengths], { inverse: inverse ? 0 : 1 });
    const [size, components] = [dims[axis] as number, dims.at(-1) as number];
    const cut = dims.map((_, d) => (d === axis ? size - length : d === dims.length - 1 ? components - 2 : 0));
    const fitted = padded(
      b,
      back,
      dims.map(() => 0),
      cut,
    );
    if (!options.real) return [f.mul(fitted, inverse ? 1 / length : length)];
    const counts = Array.from(
      { length: size },
      (_, k) => (2 * k > length ? 0 : k % (length / 2) === 0 ? 1 : 2) / length,
    );
    const along = dims.map((_, d) => (d === axis ? size : 1));
    return [f.mul(fitted, b.constant(ndarray(dtype, along, counts)))];
  },
  lower(n, b) {
    const { length, options } = dftOf(n);
    const inverse = n.attributes.inverse !== 0;
    const x = n.node.inputs[0] as string;
    if ((primeFactors(length).at(-1) ?? 1) > largestPrime) return byChirp(b, x, length, options, inverse);
    return b.add('lepton.DFT', [x, b.constant(complexTable(turnsOf(length, inverse)))], { ...options });
  },
});

/** Bluestein: a transform of any length as a convolution, by two transforms whose length is a power of two. */
function byChirp(b: LowerBuilder, x: string, length: number, options: Options, inverse: boolean): string[] {
  const { padded, chirp, spectrum } = chirpOf(length, inverse);
  const turns = (back: boolean) => b.constant(complexTable(turnsOf(padded, back)));
  const { axis, bins, mirror, real } = options;
  const [bent] = b.add(
    'lepton.DFT',
    [x, turns(false), b.constant(complexTable(chirp)), b.constant(complexTable(spectrum))],
    { axis, bins: padded, mirror },
  );
  const last = chirp.slice(0, 2 * bins).map((v) => (options.normalize ? v / length : v));
  return b.add('lepton.DFT', [bent as string, turns(true), '', b.constant(complexTable(last))], {
    axis,
    bins,
    real,
    normalize: 1,
  });
}

/** Inputs: signal [batch, length, components] (or [batch, length]), frame_step, optional window, frame_length. */
function stftOf(n: StftView): { length: number; options: Options; signal: readonly number[]; type: TensorType } {
  const { dtype, dims } = n.input(0);
  const signal = dims.length === 2 ? [...dims, 1] : dims;
  if (signal.length !== 3) n.fail(`has a signal of rank ${dims.length}; expected [batch, length, components]`);
  checkSignal(n, dtype, signal);
  const step = n.numbers(1)?.[0] ?? n.fail('lacks its frame_step (input 1)');
  if (!(step >= 1)) n.fail(`has the frame_step ${step}; expected at least 1`);
  const window = n.inputs[2];
  const [batch, size] = signal as [number, number, number];
  const length = n.numbers(3)?.[0] ?? (window ? sizeOf(window.dims) : size);
  if (window && sizeOf(window.dims) !== length)
    n.fail(`has a window of ${sizeOf(window.dims)} elements for frames of ${length}`);
  if (!(length >= 1 && length <= size)) n.fail(`has frames of ${length} elements in a signal of ${size}`);
  const bins = n.attributes.onesided ? Math.floor(length / 2) + 1 : length;
  const options = { axis: 1, bins, frame_step: step, mirror: 0, real: 0, normalize: 0 };
  return {
    length,
    options,
    signal,
    type: { dtype, dims: [batch, Math.floor((size - length) / step) + 1, bins, 2] },
  };
}

const stft = defineOp({
  name: 'STFT',
  attributes: { onesided: int(1) },
  infer: (n) => [stftOf(n).type],
  reference(n, [x, , window]) {
    const { length, options, signal } = stftOf(n);
    const shaped = { ...(x ?? n.fail('lacks its signal')), dims: signal };
    const flat = window && { ...window, dims: [length] };
    return [onHost(n, options, turnsOf(length, false), [shaped, flat])];
  },
  // Frames by index, then their transforms.
  decompose(n, b) {
    const { length, options, signal, type } = stftOf(n);
    const [x, , window = ''] = n.node.inputs as [string, string, string?];
    const frames = type.dims[1] as number;
    const places = Array.from({ length: frames * length }, (_, i) => {
      return Math.floor(i / length) * options.frame_step + (i % length);
    });
    const shaped = reshape(b, x, signal);
    let [cut] = b.add('Gather', [shaped, b.constant(ndarray('int64', [frames, length], places))], { axis: 1 });
    if (window !== '') [cut] = b.add('Mul', [cut as string, reshape(b, window, [length, 1])]);
    const [none, axis] = ['', b.constant(scalar('int64', 2))];
    return b.add('DFT', [cut as string, none, axis], { onesided: n.attributes.onesided });
  },
  lower(n, b) {
    const { length, options, signal } = stftOf(n);
    const [x, , window = ''] = n.node.inputs as [string, string, string?];
    const shaped = b.add('Reshape', [x, b.constant(int64s(signal))])[0] as string;
    const inputs = [shaped, b.constant(complexTable(turnsOf(length, false)))];
    if (window !== '') inputs.push(window);
    return b.add('lepton.DFT', inputs, { ...options });
  },
});

const lines = defineOp({
  name: 'lepton.DFT',
  attributes: lineAttributes,
  infer: (n) => [{ dtype: n.input(0).dtype, dims: linesOf(n).dims }],
  reference: linesReference,
  kernels: lineKernels,
});

export default [dft, stft, lines];

export const cases = { DFT: dftCases, STFT: stftCases };
