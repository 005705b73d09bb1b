// CumSum and CumProd: running sums and products along one axis, optionally from the end, optionally without
// the element itself.

import linesText from '../../shaders/cumulative-lines.wgsl?raw';
import scanText from '../../shaders/cumulative-scan.wgsl?raw';
import { bitSize, byteSize, deviceType, isFloat } from '../base/dtype';
import { ndarray } from '../base/ndarray';
import { ceilDiv, sizeOf } from '../base/shape';
import { int } from '../ir/attributes';
import type { Dispatch } from '../ir/kernel';
import type { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { axisOf } from './axes';
import { Formula } from './gradient';
import { foldWorkgroups, linearHelpers, oneEach } from './wgsl/dispatch';
import { computeScalar, wordType } from './wgsl/elements';
import { type Arithmetic, arithmetic } from './wgsl/wide-integers';

const workgroupSize = 64;

type View = NodeView<{ readonly exclusive: number; readonly reverse: number }>;

function layout(n: View) {
  const { dims } = n.input(0);
  const axis = axisOf(n, n.numbers(1)?.[0] ?? n.fail('lacks its axis (input 1)'), dims.length);
  const size = dims[axis] as number;
  return { size, inner: sizeOf(dims.slice(axis + 1)), lines: sizeOf(dims) / Math.max(1, size) };
}

interface Running {
  readonly start: number;
  readonly combine: (a: number, b: number) => number;
  readonly operation: Arithmetic;
  /** By the gradient, which `backwards` sums up the other way. */
  readonly grad: (f: Formula, gradient: string, x: string, y: string, backwards: (v: string) => string) => string;
}

function dispatch(
  n: View,
  { start, operation }: Running,
  label: string,
  text: string,
  workgroups: Dispatch['workgroups'],
): Dispatch {
  const { dtype } = n.input(0);
  const { size, inner, lines } = layout(n);
  const combined = arithmetic(dtype, operation, 'total', 'a', 'b');
  return {
    label: `${n.node.op}.${label}`,
    wgsl: `alias elem = ${wordType(dtype)};
alias total = ${computeScalar(dtype)};
const neutral = total(${start});
${Object.values(combined.functions).join('\n')}
fn combine(a: total, b: total) -> total { return ${combined.expression}; }
${text}`,
    constants: { workgroup_size: workgroupSize },
    bindings: { source: { input: 0 }, result: { output: 0 } },
    uniforms: { lines, size, inner, exclusive: n.attributes.exclusive, backwards: n.attributes.reverse },
    workgroups,
  };
}

const traffic = (n: View) => 2 * byteSize(deviceType(n.input(0).dtype)) * sizeOf(n.input(0).dims);

function cumulative(name: string, running: Running) {
  return defineOp({
    name,
    attributes: { exclusive: int(0), reverse: int(0) },
    infer(n) {
      layout(n);
      const { dtype, dims } = n.input(0);
      if (!isFloat(dtype) && bitSize(dtype) < 32)
        n.fail(`runs over ${dtype}; expected floats, or integers of 32 or 64 bits`);
      return [{ dtype, dims }];
    },
    reference(n, [x]) {
      const source = x?.data ?? n.fail('lacks its input');
      const { size, inner, lines } = layout(n);
      const { exclusive, reverse } = n.attributes;
      const out = ndarray(n.input(0).dtype, n.input(0).dims);
      for (let line = 0; line < lines; line++) {
        const base = Math.floor(line / inner) * size * inner + (line % inner);
        let soFar = running.start;
        for (let step = 0; step < size; step++) {
          const index = base + (reverse ? size - 1 - step : step) * inner;
          const next = running.combine(soFar, source[index] as number);
          out.data[index] = exclusive ? soFar : next;
          soFar = next;
        }
      }
      return [out];
    },
    grad(n, b, [gradient]) {
      if (gradient === undefined) return [];
      const [x, axis] = n.node.inputs as [string, string];
      const { exclusive, reverse } = n.attributes;
      const f = new Formula(b, n.input(0).dtype);
      const backwards = (v: string) => f.node('CumSum', [v, axis], { exclusive, reverse: reverse ? 0 : 1 });
      return [running.grad(f, gradient, x, n.node.outputs[0] as string, backwards)];
    },
    kernels: [
      {
        name: 'lines',
        cost: (n) => ({
          flops: sizeOf(n.input(0).dims),
          traffic: traffic(n),
          // A line is walked step by step: few lines leave the adapter as idle as few workgroups do.
          workgroups: Math.max(1, Math.floor(layout(n).lines / workgroupSize / Math.max(1, layout(n).size / 64))),
        }),
        dispatches: (n) => [dispatch(n, running, 'lines', linesText, oneEach(layout(n).lines, workgroupSize))],
      },
      {
        name: 'scan',
        cost(n) {
          const { size, lines } = layout(n);
          const padded = lines * ceilDiv(size, workgroupSize) * workgroupSize;
          const rounds = Math.log2(workgroupSize);
          return {
            flops: padded * rounds,
            traffic: traffic(n),
            shared: 12 * padded * rounds,
            cleared: lines * workgroupSize ** 2 * 4,
            workgroups: lines,
          };
        },
        dispatches: (n) => [
          dispatch(n, running, 'scan', `${linearHelpers}\n${scanText}`, foldWorkgroups(layout(n).lines)),
        ],
      },
    ],
  });
}

export default [
  cumulative('CumSum', {
    start: 0,
    combine: (a, b) => a + b,
    operation: 'add',
    grad: (_f, gradient, _x, _y, backwards) => backwards(gradient),
  }),
  cumulative('CumProd', {
    start: 1,
    combine: (a, b) => a * b,
    operation: 'multiply',
    // Each product over what the element gave to it. An element of 0, which hides what it was multiplied with, gets 0.
    grad: (f, gradient, x, y, backwards) => f.choose(f.of('Equal', x, 0), 0, f.div(backwards(f.mul(gradient, y)), x)),
  }),
];

const axis = (value: number) => ({ dtype: 'int32', dims: [], values: [value], constant: true }) as const;

const running: OpCase[] = [
  { name: 'one line of 129', inputs: [{ dims: [129] }, axis(0)] },
  { name: 'last axis, exclusive', inputs: [{ dims: [3, 65] }, axis(-1)], attributes: { exclusive: 1 } },
  { name: 'axis 1, reverse', inputs: [{ dims: [2, 70, 3] }, axis(1)], attributes: { reverse: 1 } },
  {
    name: 'reverse and exclusive, int64',
    inputs: [{ dtype: 'int64', dims: [3, 5] }, axis(1)],
    attributes: { reverse: 1, exclusive: 1 },
  },
  { name: 'float16', inputs: [{ dtype: 'float16', dims: [4, 7] }, axis(1)] },
];

export const cases: Record<string, OpCase[]> = { CumSum: running, CumProd: running };
