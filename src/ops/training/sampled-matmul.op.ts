// lepton.SampledMatMul: the product of two dense matrices A · Bᵀ, computed only where a sparse matrix has entries (SDDMM):
// what the values of a sparse product get as their gradient.
// Inputs: a [rows] or [rows, n], b [columns] or [columns, n], columnIndices [entries], rowOffsets [rows + 1], the last two as
// in sparse/csr.ts. Output: [entries].

import entryText from '../../../shaders/sddmm-entry.wgsl?raw';
import lanesText from '../../../shaders/sddmm-lanes.wgsl?raw';
import { byteSize, deviceType, isFloat } from '../../base/dtype';
import { type NDArray, ndarray } from '../../base/ndarray';
import { ceilDiv, formatDims, sameDims } from '../../base/shape';
import { required } from '../../ir/attributes';
import type { Dispatch, Kernel } from '../../ir/kernel';
import { defineOp, type OpCase } from '../../ir/opdef';
import { sparseCases } from '../sparse/cases';
import { checkCsr } from '../sparse/csr';
import { transposedProduct } from '../sparse/grad';
import type { SparseAttributes, SparseNode } from '../sparse/problem';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { elementAt, wordType } from '../wgsl/elements';
import { barrierWork } from '../wgsl/join-lanes';

type SampledKernel = Kernel<SparseAttributes>;

const workgroupSize = 64;

function problemOf(n: SparseNode) {
  const { rows, columns } = n.attributes;
  const [a, b, columnIndices, rowOffsets] = [n.input(0), n.input(1), n.input(2), n.input(3)];
  const [, width = 1] = a.dims;
  if (!isFloat(a.dtype) || a.dtype !== b.dtype) n.fail('multiplies floats of one type');
  const wanted = (size: number) => [size, ...a.dims.slice(1)];
  if (a.dims.length > 2 || !sameDims(a.dims, wanted(rows)) || !sameDims(b.dims, wanted(columns))) {
    n.fail(
      `needs matrices of ${rows} and ${columns} rows and of one width, not ${formatDims(a.dims)}, ${formatDims(b.dims)}`,
    );
  }
  if (columnIndices.dims.length !== 1) n.fail('needs column indices in one dimension');
  if (columnIndices.dtype !== 'uint16' && columnIndices.dtype !== 'int32') {
    n.fail('needs column indices of type uint16 or int32');
  }
  if (rowOffsets.dtype !== 'int32' || !sameDims(rowOffsets.dims, [rows + 1]))
    n.fail(`needs int32[${rows + 1}] row offsets`);
  return { rows, columns, width, entries: columnIndices.dims[0] as number };
}

/** In units: quads where rows are whole ones. */
function unitsOf(n: SparseNode) {
  const problem = problemOf(n);
  const lanes = problem.width % 4 === 0 ? 4 : 1;
  const bytes = lanes * byteSize(deviceType(n.input(0).dtype));
  // Finding the row of an entry halves the rows until one is left.
  return { ...problem, lanes, units: problem.width / lanes, bytes, search: Math.ceil(Math.log2(problem.rows + 1)) };
}

function dispatchOf(
  n: SparseNode,
  label: string,
  text: string,
  constants: Record<string, number>,
  each: number,
): Dispatch {
  const { entries, rows, units, lanes } = unitsOf(n);
  const elem = wordType(n.input(0).dtype);
  const indices = n.input(2).dtype;
  const [unit, times] = lanes === 4 ? [`vec4<${elem}>`, 'dot(vec4f(x), vec4f(y))'] : [elem, 'f32(x) * f32(y)'];
  const front = `alias elem = ${elem};
alias unit = ${unit};
${linearHelpers}
fn times(x: unit, y: unit) -> f32 { return ${times}; }
@group(0) @binding(2) var<storage, read> columnIndices: array<${wordType(indices)}>;
fn columnAt(i: u32) -> u32 { return u32(${elementAt(indices, 'columnIndices', 'i')}); }
@group(0) @binding(4) var<storage, read_write> result: array<elem>;
`;
  return {
    label: `SampledMatMul.${label}`,
    wgsl: front + text,
    constants,
    bindings: {
      a: { input: 0 },
      b: { input: 1 },
      columnIndices: { input: 2 },
      rowOffsets: { input: 3 },
      result: { output: 0 },
    },
    uniforms: { entries, rows, n: units },
    workgroups: foldWorkgroups(ceilDiv(entries, each)),
  };
}

const entry: SampledKernel = {
  name: 'sddmm-entry',
  plain: true,
  space: { lanes: [64, 32, 128] },
  cost(n, t) {
    const { entries, units, lanes, bytes, search } = unitsOf(n);
    return {
      flops: entries * (units * 2 * lanes + search * 4),
      // Neighbours read units a row apart: a part of what a GPU fetches for them goes to waste.
      traffic: entries * (units * 1.5 * 2 * bytes + 4 * search + 8),
      workgroups: ceilDiv(entries, t.lanes as number),
    };
  },
  dispatches: (n, t) => {
    const lanes = t.lanes as number;
    return [dispatchOf(n, 'entry', entryText, { LANES: lanes }, lanes)];
  },
};

const shared: SampledKernel = {
  name: 'sddmm-lanes',
  space: { lanes: [8, 4, 16, 32] },
  legal: (n, t) => unitsOf(n).units > (t.lanes as number) / 2,
  cost(n, t) {
    const { entries, units, lanes: width, bytes, search } = unitsOf(n);
    const lanes = t.lanes as number;
    const padded = ceilDiv(units, lanes) * lanes;
    const workgroups = ceilDiv(entries * lanes, workgroupSize);
    return {
      flops: entries * (padded * 2 * width + lanes * search * 4),
      traffic: entries * (padded * 2 * bytes + 4 * search * lanes + 8),
      shared: entries * lanes * 16,
      cleared: workgroups * workgroupSize * workgroupSize * 4,
      emulated: workgroups * workgroupSize * Math.log2(lanes) * barrierWork,
      workgroups,
    };
  },
  dispatches(n, t) {
    const lanes = t.lanes as number;
    const entries = workgroupSize / lanes;
    const constants = { LANES: lanes, ENTRIES: entries, SUMS: workgroupSize };
    return [{ ...dispatchOf(n, 'lanes', lanesText, constants, entries), uniformFlow: true }];
  },
};

export default defineOp({
  name: 'lepton.SampledMatMul',
  attributes: { rows: required('int'), columns: required('int') },
  infer(n) {
    const { rows, columns, entries } = problemOf(n);
    const [columnIndices, rowOffsets] = [n.input(2).array, n.input(3).array];
    if (columnIndices && rowOffsets) checkCsr(rows, columns, columnIndices, rowOffsets);
    return [{ dtype: n.input(0).dtype, dims: [entries] }];
  },
  reference(n, inputs) {
    const [a, b, columns, offsets] = inputs as [NDArray, NDArray, NDArray, NDArray];
    const { rows, width, entries } = problemOf(n);
    const out = ndarray(a.dtype, [entries]);
    for (let row = 0; row < rows; row++) {
      for (let i = offsets.data[row] as number; i < (offsets.data[row + 1] as number); i++) {
        const [atA, atB] = [row * width, (columns.data[i] as number) * width];
        let sum = 0;
        for (let k = 0; k < width; k++) sum += (a.data[atA + k] as number) * (b.data[atB + k] as number);
        out.data[i] = sum;
      }
    }
    return [out];
  },
  // G · b for a and Gᵀ · a for b, where G holds the gradient at the entries.
  grad(n, b, [gradient]) {
    if (gradient === undefined) return [];
    const [first, second, columnIndices, rowOffsets] = n.node.inputs as [string, string, string, string];
    const entries = { columnIndices: n.constant(2) as NDArray, rowOffsets: n.constant(3) as NDArray };
    const [ofFirst] = b.add('lepton.SparseMatMul', [gradient, columnIndices, rowOffsets, second], { ...n.attributes });
    return [ofFirst, transposedProduct(b, n.attributes, entries, gradient, first)];
  },
  kernels: [entry, shared],
});

/** Where the sparse products have their entries, and widths for those that they lack. */
export const cases: OpCase[] = sparseCases.map(({ name, inputs, attributes }) => {
  const [values, columnIndices, rowOffsets, b] = inputs;
  const { rows } = attributes as unknown as SparseAttributes;
  const { dtype = 'float32', dims = [] } = b ?? {};
  const a = { dtype, dims: [rows, ...dims.slice(1)] };
  const tolerance = values?.dtype === 'float16' ? { tolerance: 4e-3 } : {};
  return { name, inputs: [a, { dtype, dims }, columnIndices, rowOffsets], attributes: { ...attributes }, ...tolerance };
});
