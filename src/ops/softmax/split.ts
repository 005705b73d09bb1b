// Softmax.split, for few long rows: each falls into parts, so that one row alone keeps an adapter busy. A first dispatch
// finds what there is in each part, a second joins that and computes the result.

import commonText from '../../../shaders/softmax-common.wgsl?raw';
import finishText from '../../../shaders/softmax-finish.wgsl?raw';
import partsText from '../../../shaders/softmax-parts.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand, Tunables } from '../../ir/kernel';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { joinConstants, joinCost, joinText, memory } from '../wgsl/join-lanes';
import { laneLayout, loadsApart } from '../wgsl/lanes';
import { rowAccessText, rowLoadText } from '../wgsl/row-access';
import { accessOf, emulatedWork, type Finish, found, functionsOf, rowsOf, type SoftmaxNode } from './rows';

/** Invocations of the second dispatch's workgroups. */
const workgroup = 64;

function parting(n: SoftmaxNode, t: Tunables) {
  const quads = ceilDiv(rowsOf(n).length, 4);
  const partQuads = ceilDiv(quads, t.parts as number);
  const parts = ceilDiv(quads, partQuads);
  return { ...rowsOf(n), quads, partQuads, parts, layout: laneLayout(t.lanes as number, rowsOf(n).rows * parts) };
}

export function splitRows(name: string, finish: Finish): Kernel<{ axis: number }> {
  return {
    name: 'split',
    space: { lanes: [64, 1], parts: [16, 64, 4] },
    legal: (n, t) => rowsOf(n).length >= 16 * (t.lanes as number) * (t.parts as number),
    cost(n, t) {
      const { rows, length, parts, layout } = parting(n, t);
      const groups = ceilDiv(rows * parts, layout.rows);
      const elements = rows * length;
      const { shared, cleared, emulated } = joinCost(memory, layout.lanes, groups, found);
      return {
        flops: 25 * elements + 20 * workgroup * rows * parts ** 2,
        traffic: (2 + loadsApart(length, layout.lanes)) * elements * byteSize(deviceType(n.input(0).dtype)),
        shared,
        cleared,
        emulated: emulated + emulatedWork(n) * elements + 400 * workgroup * rows * parts ** 2,
        // Those of the dispatch that has fewer.
        workgroups: Math.min(groups, rows * parts),
        dispatches: 2,
      };
    },
    dispatches(n, t): Dispatch[] {
      const { rows, length, inner, quads, partQuads, parts, layout } = parting(n, t);
      const parted: Operand = { scratch: 'parts', bytes: found.bytes * rows * parts };
      const uniforms = { rows, quads, length, inner, parts, part_quads: partQuads };
      const front = linearHelpers + functionsOf(finish);
      return [
        {
          label: `${name}.parts`,
          wgsl: front + rowLoadText(accessOf(n)) + joinText(memory, layout.lanes, found) + commonText + partsText,
          constants: joinConstants(memory, layout),
          bindings: { input: { input: 0 }, found: parted },
          uniforms,
          workgroups: foldWorkgroups(ceilDiv(rows * parts, layout.rows)),
        },
        {
          label: `${name}.finish`,
          wgsl: front + rowAccessText(accessOf(n)) + commonText + finishText,
          constants: { lanes: workgroup },
          bindings: { input: { input: 0 }, result: { output: 0 }, found: parted },
          uniforms,
          workgroups: foldWorkgroups(rows * parts),
        },
      ];
    },
  };
}
