// The kernel of lepton.Recurrence that runs all steps in one dispatch and loads the recurrent weights at each.

import shader from '../../../shaders/recurrent-workgroup.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { barrierBytes, bindable, elementBytes, fill, type Recurrence, withIdleCores } from './problem';
import { accesses, cellText, turnsOf, vectorsText, wholeNames } from './text';

export function workgroupKernel<A>(of: (n: NodeView<A>) => Recurrence): Kernel<A> {
  const layout = (n: NodeView<A>, t: Tunables) => {
    const r = of(n);
    const parts = t.parts as number;
    const inStorage = t.storage === 1;
    const units = Math.min(r.hidden, 256 / parts);
    const quads = ceilDiv(r.hidden, 4);
    const partialSlots = parts > 1 ? units * parts : 1;
    const bytes = (inStorage ? 0 : 48 * quads) + 16 * partialSlots;
    return { ...r, units, parts, quads, partialSlots, inStorage, bytes };
  };
  return {
    name: 'workgroup',
    space: { parts: [4, 1, 2, 8], storage: [0, 1] },
    legal(n, t, { limits }) {
      const { bytes, units, parts, quads, inStorage } = layout(n, t);
      const { maxComputeWorkgroupStorageSize: most, maxComputeInvocationsPerWorkgroup: invocations } = limits;
      const bound = 2 + Number(inStorage) + Object.keys(accesses(n, wholeNames).bindings).length;
      const shared = parts === 1 || (parts <= quads && !inStorage);
      return shared && bound <= bindable && bytes <= most && units * parts <= invocations;
    },
    cost(n, t) {
      const { cell, steps, batch, hidden, units, parts, quads, partialSlots, inStorage, bytes } = layout(n, t);
      const sequences = batch * cell.backwards.length;
      const invocations = units * parts;
      const passes = ceilDiv(hidden, units);
      const loads = passes * invocations * ceilDiv(quads, parts) * cell.gates;
      const vectors = (16 * loads) / cell.gates + 16 * hidden;
      const barriers = turnsOf(cell) * (1 + (parts > 1 ? passes : 0));
      return withIdleCores(sequences, {
        flops: sequences * steps * (8 * loads + 80 * hidden),
        traffic:
          sequences * steps * (elementBytes(n) * (4 * loads + (cell.gates + 1) * hidden) + (inStorage ? vectors : 0)),
        shared:
          sequences * steps * ((inStorage ? 0 : vectors) + 32 * partialSlots + invocations * barriers * barrierBytes),
        cleared: sequences * invocations * bytes,
        workgroups: fill(sequences, invocations),
      });
    },
    dispatches(n, t) {
      const { cell, steps, batch, hidden, units, parts, quads, partialSlots, inStorage } = layout(n, t);
      const directions = cell.backwards.length;
      const access = accesses(n, wholeNames);
      const vectors = { scratch: 'vectors', bytes: 48 * quads * batch * directions };
      return [
        {
          label: `${cell.name}.workgroup`,
          wgsl: [access.text, vectorsText(inStorage, 12 * quads, batch * directions), cellText(cell), shader].join(
            '\n',
          ),
          constants: {
            units,
            parts,
            hidden,
            quads,
            partial_slots: partialSlots,
            turns: turnsOf(cell),
          },
          bindings: {
            projected: { input: 0 },
            weights: { input: 1 },
            ...(inStorage && { vectors }),
            ...access.bindings,
          },
          uniforms: { steps, batch, directions, backwards: cell.backwards.map(Number) },
          workgroups: [batch, directions, 1],
        },
      ];
    },
  };
}
