// The kernels of lepton.Recurrence. Small nets run all their steps in one dispatch, a workgroup for each sequence
// and direction: no step waits for a launch. Large ones take a dispatch a step, over many workgroups.

import borderText from '../../../shaders/recurrent-border.wgsl?raw';
import stepText from '../../../shaders/recurrent-step.wgsl?raw';
import workgroupText from '../../../shaders/recurrent-workgroup.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Cost, Dispatch, Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { oneEach } from '../wgsl/dispatch';
import type { Cell } from './cell';
import type { Sizes } from './reference';
import { type AccessName, accesses, cellText, turnsOf } from './text';

export interface Recurrence extends Sizes {
  readonly cell: Cell;
}

/** Storage buffers that every device lets a shader bind. */
const bindable = 8;

export function recurrenceKernels<A>(of: (n: NodeView<A>) => Recurrence): Kernel<A>[] {
  return [workgroupKernel(of), stepKernel(of)];
}

function workgroupKernel<A>(of: (n: NodeView<A>) => Recurrence): Kernel<A> {
  const names: AccessName[] = ['extra_of', 'initial_h', 'initial_c', 'store_y', 'store_h', 'store_c', 'lengths'];
  const layout = (n: NodeView<A>, t: Tunables) => {
    const r = of(n);
    const parts = t.parts as number;
    const units = Math.min(r.hidden, 256 / parts);
    const partialSlots = parts > 1 ? units * parts : 1;
    const quads = ceilDiv(r.hidden, 4);
    return { ...r, units, parts, quads, partialSlots, bytes: 4 * (8 * quads + r.hidden) + 16 * partialSlots };
  };
  return {
    name: 'workgroup',
    space: { parts: [4, 1, 2, 8] },
    when: (n) => 2 + Object.keys(accesses(n, names).bindings).length <= bindable,
    legal(n, t, { limits }) {
      const { bytes, units, parts, quads } = layout(n, t);
      const { maxComputeWorkgroupStorageSize: most, maxComputeInvocationsPerWorkgroup: invocations } = limits;
      return (parts === 1 || parts <= quads) && bytes <= most && units * parts <= invocations;
    },
    cost(n, t) {
      const { cell, steps, batch, hidden, units, parts, quads, partialSlots, bytes } = layout(n, t);
      const sequences = batch * cell.backwards.length;
      const invocations = units * parts;
      const loads = ceilDiv(hidden, units) * invocations * ceilDiv(quads, parts) * cell.gates;
      return {
        flops: sequences * steps * (8 * loads + 80 * hidden),
        traffic: sequences * steps * elementBytes(n) * (4 * loads + (cell.gates + 1) * hidden),
        shared: sequences * steps * 16 * (loads / cell.gates + 2 * partialSlots),
        cleared: sequences * invocations * bytes,
        workgroups: fill(sequences, invocations),
      };
    },
    dispatches(n, t) {
      const { cell, steps, batch, hidden, units, parts, quads, partialSlots } = layout(n, t);
      const access = accesses(n, names);
      return [
        {
          label: `${cell.name}.workgroup`,
          wgsl: [access.text, cellText(cell), workgroupText].join('\n'),
          constants: {
            units,
            parts,
            hidden,
            quads,
            vector_slots: 8 * quads,
            partial_slots: partialSlots,
            turns: turnsOf(cell),
          },
          bindings: { projected: { input: 0 }, weights: { input: 1 }, ...access.bindings },
          uniforms: { steps, batch, directions: cell.backwards.length, backwards: cell.backwards.map(Number) },
          workgroups: [batch, cell.backwards.length, 1],
        },
      ];
    },
  };
}

const stepUnits = 16;
const stepParts = 8;

function stepKernel<A>(of: (n: NodeView<A>) => Recurrence): Kernel<A> {
  const tileOf = (batch: number) => Math.min(4, batch);
  return {
    name: 'step',
    cost(n): Cost {
      const { cell, steps, batch, hidden } = of(n);
      const tile = tileOf(batch);
      const invocations = stepUnits * stepParts;
      const workgroups = ceilDiv(hidden, stepUnits) * cell.backwards.length * ceilDiv(batch, tile);
      const loads = workgroups * stepUnits * stepParts * ceilDiv(ceilDiv(hidden, 4), stepParts) * cell.gates;
      const values = cell.backwards.length * batch * hidden;
      return {
        flops: steps * (8 * loads * tile + 80 * values),
        traffic: steps * (4 * loads * elementBytes(n) + 16 * (loads / cell.gates) * tile + 40 * values),
        shared: steps * workgroups * 32 * invocations * tile,
        cleared: steps * workgroups * invocations ** 2 * tile * 16,
        workgroups: fill(workgroups, invocations),
        dispatches: steps * turnsOf(cell) + 2,
      };
    },
    dispatches(n) {
      const recurrence = of(n);
      const { cell, steps, batch, hidden } = recurrence;
      const tile = tileOf(batch);
      const quads = ceilDiv(hidden, 4);
      const directions = cell.backwards.length;
      const turns = turnsOf(cell);
      const access = accesses(n, ['extra_of', 'store_y', 'lengths']);
      const wgsl = [access.text, cellText(cell), `const batch_tile = ${tile}u;`, stepText].join('\n');
      const state = { scratch: 'state', bytes: 3 * 16 * directions * batch * quads };
      const step = (index: number, turn: number): Dispatch => {
        const last = turns === 1 ? index % 2 : 0;
        return {
          label: `${cell.name}.step`,
          wgsl,
          constants: {
            units: stepUnits,
            parts: stepParts,
            hidden,
            quads,
            partial_slots: stepUnits * stepParts * tile,
            turns,
          },
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
          workgroups: [ceilDiv(hidden, stepUnits), directions, ceilDiv(batch, tile)],
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

const elementBytes = (n: NodeView) => byteSize(deviceType(n.input(0).dtype));

/** Workgroups as the cost model counts them: of 64 invocations, half of which would keep memory as busy. */
function fill(workgroups: number, invocations: number): number {
  return Math.ceil((workgroups * invocations) / 32);
}
