// The kernel of lepton.Recurrence that takes a dispatch a step, over many workgroups. The state lies in storage;
// a dispatch in front fills it and one behind stores what is asked for of it.

import borderText from '../../../shaders/recurrent-border.wgsl?raw';
import stepText from '../../../shaders/recurrent-step.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { oneEach } from '../wgsl/dispatch';
import { elementBytes, fill, type Recurrence } from './problem';
import { accesses, cellText, turnsOf } from './text';

export function stepKernel<A>(of: (n: NodeView<A>) => Recurrence): Kernel<A> {
  const layout = (n: NodeView<A>, t: Tunables) => {
    const r = of(n);
    const parts = t.parts as number;
    const tile = Math.min(4, r.batch);
    const units = parts > 1 ? 16 : Math.min(64, 4 * ceilDiv(r.hidden, 8));
    const invocations = units * parts;
    return { ...r, parts, tile, units, invocations, partialSlots: parts > 1 ? invocations * tile : 1 };
  };
  return {
    name: 'step',
    space: { parts: [8, 1] },
    cost(n, t): Cost {
      const { cell, steps, batch, hidden, parts, tile, units, invocations, partialSlots } = layout(n, t);
      const directions = cell.backwards.length;
      const workgroups = ceilDiv(hidden, units) * directions * ceilDiv(batch, tile);
      const loads = workgroups * invocations * ceilDiv(ceilDiv(hidden, 4), parts) * cell.gates;
      const values = directions * batch * hidden;
      return {
        flops: steps * (8 * loads * tile + 80 * values),
        traffic: steps * (4 * loads * elementBytes(n) + 16 * (loads / cell.gates) * tile + 40 * values),
        shared: parts > 1 ? steps * workgroups * 32 * invocations * tile : 0,
        cleared: steps * workgroups * invocations * partialSlots * 16,
        workgroups: fill(workgroups, invocations),
        dispatches: steps * turnsOf(cell) + 2,
      };
    },
    dispatches(n, t) {
      const { cell, steps, batch, hidden, parts, tile, units, partialSlots } = layout(n, t);
      const quads = ceilDiv(hidden, 4);
      const directions = cell.backwards.length;
      const turns = turnsOf(cell);
      const access = accesses(n, ['extra_of', 'store_y', 'store_trace', 'lengths']);
      const wgsl = [access.text, cellText(cell), `const batch_tile = ${tile}u;`, stepText].join('\n');
      const state = { scratch: 'state', bytes: 3 * 16 * directions * batch * quads };
      const step = (index: number, turn: number): Dispatch => {
        const last = turns === 1 ? index % 2 : 0;
        return {
          label: `${cell.name}.step`,
          wgsl,
          constants: { units, parts, hidden, quads, partial_slots: partialSlots, turns },
          bindings: { projected: { input: 0 }, weights: { input: 1 }, state, ...access.bindings },
          uniforms: {
            steps,
            batch,
            directions,
            step: index,
            turn,
            last,
            operand: turn === 1 ? 1 : last,
            next: turn === 1 ? 0 : 1 - last,
            backwards: cell.backwards.map(Number),
          },
          workgroups: [ceilDiv(hidden, units), directions, ceilDiv(batch, tile)],
        };
      };
      const border = (finish: number): Dispatch => {
        const borders = accesses(n, ['initial_h', 'initial_c', 'store_h', 'store_c']);
        const items = 4 * directions * batch * quads;
        return {
          label: `${cell.name}.border`,
          wgsl: `${borders.text}\n${borderText}`,
          bindings: { state, ...borders.bindings },
          uniforms: { items, stride: 4 * quads, hidden, last: turns === 1 ? steps % 2 : 0, finish },
          workgroups: oneEach(items, 64),
        };
      };
      const indices = Array.from({ length: steps }, (_, index) => index);
      const all = indices.flatMap((index) => Array.from({ length: turns }, (_, turn) => step(index, turn)));
      return [border(0), ...all, ...(n.wants(1) || n.wants(2) ? [border(1)] : [])];
    },
  };
}
