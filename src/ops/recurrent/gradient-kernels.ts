// The kernels of lepton.RecurrenceGradient. Small nets go back through all their steps in one dispatch, a workgroup for a
// few sequences; large ones take a dispatch a step, over many workgroups.

import borderText from '../../../shaders/recurrent-border.wgsl?raw';
import wholeText from '../../../shaders/recurrent-gradient.wgsl?raw';
import stepText from '../../../shaders/recurrent-gradient-step.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { oneEach } from '../wgsl/dispatch';
import { barrierBytes, bindable, elementBytes, fill, type Recurrence } from './problem';
import { multiplyText, retreatAccesses, retreatText, wholeRetreat } from './retreat';
import { turnsOf } from './text';

type Of<A> = (n: NodeView<A>) => Recurrence;

export function gradientKernels<A>(of: Of<A>): Kernel<A>[] {
  return [wholeKernel(of), stepKernel(of, true), stepKernel(of, false)];
}

/** Sequences of a workgroup, all of which read a weight once. */
const tiles = [4, 1, 2];
/** Bytes of workgroup memory that a software adapter may be given: to clear one is text to compile there. */
const mostCleared = 6144;
/** Operations that a cell's step back takes for one unit. */
const cellOperations = 60;

function wholeKernel<A>(of: Of<A>): Kernel<A> {
  const layout = (n: NodeView<A>, t: Tunables) => {
    const r = of(n);
    const [tile, parts] = [t.tile as number, t.parts as number];
    const quads = ceilDiv(r.hidden, 4);
    const columns = Math.min(quads, Math.floor(256 / parts));
    const slots = {
      delta_slots: tile * r.cell.gates * 4 * quads,
      sum_slots: tile * parts * quads,
      carried_slots: tile * r.hidden,
    };
    const bytes = 4 * slots.delta_slots + 16 * slots.sum_slots + 8 * slots.carried_slots;
    const workgroups = ceilDiv(r.batch, tile) * r.cell.backwards.length;
    return { ...r, tile, parts, quads, columns, invocations: columns * parts, slots, bytes, workgroups };
  };
  return {
    name: 'whole',
    space: { tile: tiles, parts: [1, 4, 8] },
    legal(n, t, { limits, software }) {
      const { batch, tile, parts, quads, invocations, bytes } = layout(n, t);
      const bound = 3 + Object.keys(retreatAccesses(n, wholeRetreat).bindings).length;
      return (
        bound <= bindable &&
        (tile === 1 || tile < 2 * batch) &&
        (parts === 1 || parts <= quads) &&
        bytes <= Math.min(limits.maxComputeWorkgroupStorageSize, software ? mostCleared : Number.POSITIVE_INFINITY) &&
        invocations <= limits.maxComputeInvocationsPerWorkgroup
      );
    },
    cost(n, t) {
      const { cell, steps, hidden, tile, parts, quads, invocations, bytes, workgroups } = layout(n, t);
      const loads = cell.gates * quads * quads;
      const units = tile * hidden;
      return {
        flops: workgroups * steps * (32 * loads * tile + cellOperations * units),
        traffic: workgroups * steps * elementBytes(n) * (16 * loads + units * (2 * cell.gates + 2)),
        shared:
          workgroups *
          steps *
          (16 * loads * tile +
            32 * parts * quads * tile +
            units * (16 + 4 * cell.gates + 4 * parts) +
            2 * turnsOf(cell) * invocations * barrierBytes),
        cleared: workgroups * invocations * bytes,
        workgroups: fill(workgroups, invocations),
      };
    },
    dispatches(n, t) {
      const { cell, steps, batch, hidden, tile, parts, quads, columns, slots } = layout(n, t);
      const directions = cell.backwards.length;
      const access = retreatAccesses(n, wholeRetreat);
      return [
        {
          label: `${cell.name}.back`,
          wgsl: [access.text, retreatText(cell), multiplyText(tile, true), wholeText].join('\n'),
          constants: { columns, parts, hidden, quads, turns: turnsOf(cell), ...slots },
          bindings: { trace: { input: 0 }, weights: { input: 1 }, delta: { output: 0 }, ...access.bindings },
          uniforms: { steps, batch, directions, backwards: cell.backwards.map(Number) },
          workgroups: [ceilDiv(batch, tile), directions, 1],
        },
      ];
    },
  };
}

/** The variants load what the products read in each invocation, or in one of four that pass it on. */
function stepKernel<A>(of: Of<A>, subgroups: boolean): Kernel<A> {
  const layout = (n: NodeView<A>, t: Tunables) => {
    const r = of(n);
    const [tile, parts] = [t.tile as number, t.parts as number];
    const quads = ceilDiv(r.hidden, 4);
    const columns = subgroups ? (t.columns as number) : Math.min(t.columns as number, quads);
    const workgroups = ceilDiv(quads, columns) * r.cell.backwards.length * ceilDiv(r.batch, tile);
    return { ...r, tile, parts, quads, columns, invocations: columns * parts, workgroups };
  };
  return {
    name: subgroups ? 'step-subgroups' : 'step',
    space: { tile: tiles, parts: subgroups ? [1] : [1, 4, 8], columns: [4, 16] },
    // That neighbours by number are neighbours in a subgroup is known of the software adapters alone.
    when: (_, { software, features }) => !subgroups || (software && features.includes('subgroups')),
    legal(n, t, { limits }) {
      const { tile, parts, columns, batch } = layout(n, t);
      return (tile === 1 || tile < 2 * batch) && 16 * tile * parts * columns <= limits.maxComputeWorkgroupStorageSize;
    },
    cost(n, t) {
      const { cell, steps, batch, hidden, tile, parts, quads, columns, invocations, workgroups } = layout(n, t);
      // A column's rows are loaded by each invocation for itself.
      const loads = workgroups * columns * cell.gates * quads;
      const units = cell.backwards.length * batch * hidden;
      const sums = workgroups * parts * columns * tile;
      return {
        flops: steps * (32 * loads * tile + cellOperations * units),
        traffic:
          steps * elementBytes(n) * (16 * loads + (subgroups ? 1 : 4) * loads * tile + units * (2 * cell.gates + 6)),
        shared: steps * (32 * sums + turnsOf(cell) * workgroups * invocations * barrierBytes),
        cleared: steps * turnsOf(cell) * invocations * 16 * sums,
        workgroups: fill(workgroups, invocations),
        dispatches: steps * turnsOf(cell) + 3,
      };
    },
    dispatches(n, t) {
      const { cell, steps, batch, hidden, tile, parts, quads, columns } = layout(n, t);
      const directions = cell.backwards.length;
      const turns = turnsOf(cell);
      const access = retreatAccesses(n, ['extra_of', 'gradient_y', 'store_input', 'lengths'], 5);
      const wgsl = [
        subgroups ? 'enable subgroups;' : '',
        access.text,
        retreatText(cell),
        multiplyText(tile, !subgroups),
        operandText(subgroups),
        stepText,
      ].join('\n');
      const items = directions * batch * hidden;
      const state = { scratch: 'state', bytes: 12 * items };
      const back = (step: number, turn: number): Dispatch => ({
        label: `${cell.name}.stepBack`,
        wgsl,
        constants: { columns, parts, hidden, quads, sum_slots: tile * parts * columns },
        bindings: { trace: { input: 0 }, weights: { input: 1 }, delta: { output: 0 }, state, ...access.bindings },
        uniforms: {
          steps,
          batch,
          directions,
          step: step < 0 ? steps : step,
          before: turn === 1 ? step : step + 1,
          turn,
          backwards: cell.backwards.map(Number),
        },
        workgroups: [ceilDiv(quads, columns), directions, ceilDiv(batch, tile)],
      });
      const border = (finish: number): Dispatch => {
        const borders = retreatAccesses(n, ['initial_h', 'initial_c', 'store_h', 'store_c']);
        return {
          label: `${cell.name}.border`,
          wgsl: `${borders.text}\n${borderText}`,
          bindings: { state, ...borders.bindings },
          uniforms: { items, stride: hidden, hidden, last: 0, finish },
          workgroups: oneEach(items, 64),
        };
      };
      const all = Array.from({ length: steps }, (_, i) => steps - 1 - i).flatMap((step) =>
        Array.from({ length: turns }, (_, turn) => back(step, turn)),
      );
      const finish = n.wants(1) || n.wants(2) ? [back(-1, 0), border(1)] : [];
      return [border(0), ...all, ...finish];
    },
  };
}

/** `operand(row, k, lane)`: four gradients of the gate whose row of `delta` begins there, from unit k on. */
function operandText(subgroups: boolean): string {
  const parts = [0, 1, 2, 3].map((k) => (subgroups ? `quadBroadcast(own, ${k}u)` : `delta_at(row, k + ${k}u)`));
  return `fn operand(row: u32, k: u32, lane: u32) -> vec4f {
  ${subgroups ? 'let own = delta_at(row, k + lane);' : ''}
  return vec4f(${parts.join(', ')});
}`;
}
