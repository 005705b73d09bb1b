// Softmax.rows: a row has one invocation, a part of a workgroup, or a whole one. See shaders/softmax.wgsl.

import shader from '../../../shaders/softmax.wgsl?raw';
import commonText from '../../../shaders/softmax-common.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel } from '../../ir/kernel';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import { heldRows, type Joining, joinConstants, joinCost, joinText } from '../wgsl/join-lanes';
import { laneLayout, loadsApart, rowWork } from '../wgsl/lanes';
import { rowAccessText } from '../wgsl/row-access';
import { accessOf, emulatedWork, type Finish, found, functionsOf, rowsOf } from './rows';

/** Quads that a lane holds; more would be empty. */
const chunkOf = (quads: number, lanes: number) => (quads <= lanes ? 1 : quads <= 2 * lanes ? 2 : 4);

export function wholeRows(name: string, finish: Finish, joining: Joining): Kernel<{ axis: number }> {
  return {
    ...heldRows(joining, (n) => rowsOf(n).length),
    cost(n, t) {
      const { rows, length } = rowsOf(n);
      const lanes = t.lanes as number;
      const { workgroups, steps, busy } = rowWork(rows, length, lanes);
      const bytes = busy * length * byteSize(deviceType(n.input(0).dtype));
      const elements = busy * lanes * 4 * chunkOf(ceilDiv(length, 4), lanes) * steps;
      const { shared, cleared, emulated } = joinCost(joining, lanes, workgroups, found);
      return {
        flops: 25 * elements + (lanes > 1 ? 40 * busy * lanes : 0),
        // What does not stay in registers is read again.
        traffic: (steps > 1 ? 3 : 2) * bytes * loadsApart(length, lanes),
        shared,
        cleared,
        emulated: emulated + emulatedWork(n) * elements,
        workgroups,
      };
    },
    dispatches(n, t): Dispatch[] {
      const { rows, length, inner } = rowsOf(n);
      const lanes = t.lanes as number;
      const layout = laneLayout(lanes, rows);
      const quads = ceilDiv(length, 4);
      const chunk = chunkOf(quads, lanes);
      const access = rowAccessText(accessOf(n));
      const front = [joining.enable, linearHelpers, functionsOf(finish), access, joinText(joining, lanes, found)];
      return [
        {
          label: `${name}.rows`,
          wgsl: front.join('') + commonText + shader,
          constants: { ...joinConstants(joining, layout), chunk, held: quads <= chunk * lanes ? 1 : 0 },
          bindings: { input: { input: 0 }, result: { output: 0 } },
          uniforms: { rows, quads, length, inner },
          workgroups: foldWorkgroups(ceilDiv(rows, layout.rows)),
        },
      ];
    },
  };
}
