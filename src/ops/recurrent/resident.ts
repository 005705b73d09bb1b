// The kernel of lepton.Recurrence that holds the recurrent weights in its invocations over all steps: what a step
// loads is the last output alone. For nets whose weights fit a workgroup's registers; what is unrolled over the
// weights is generated here.

import shader from '../../../shaders/recurrent-resident.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Kernel, Tunables } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import type { Cell } from './cell';
import { barrierBytes, bindable, elementBytes, fill, type Recurrence, withIdleCores } from './problem';
import { accesses, cellText, gatesOfTurns, turnsOf, vectorsText, wholeNames } from './text';

/** Floats that an invocation may hold: registers of a GPU; on a CPU it is text to compile, 0.1 ms each. */
const mostHeld = { hardware: 64, software: 512 };

/** The variants join four neighbours' sums through subgroups or through workgroup memory. */
export function residentKernel<A>(of: (n: NodeView<A>) => Recurrence, subgroups: boolean): Kernel<A> {
  const layout = (n: NodeView<A>, t: Tunables) => {
    const r = of(n);
    const units = t.quadUnits as number;
    const quads = ceilDiv(r.hidden, 4);
    const slots = ceilDiv(quads, 4);
    const held = r.cell.gates * units * slots;
    const invocations = 4 * ceilDiv(r.hidden, units);
    const inStorage = t.storage === 1;
    const joined = subgroups ? 0 : invocations * units;
    const bytes = (inStorage ? 0 : 4 * 32 * slots) + 16 * joined;
    return { ...r, units, quads, slots, held, invocations, inStorage, joined, bytes };
  };
  return {
    name: subgroups ? 'resident-subgroups' : 'resident',
    space: { quadUnits: [1, 4], storage: [0, 1] },
    // That neighbours by number are neighbours in a subgroup is known of the software adapters alone.
    when: (_, { software, features }) => !subgroups || (software && features.includes('subgroups')),
    legal(n, t, { limits, software }) {
      const { held, invocations, inStorage, bytes } = layout(n, t);
      const bound = 2 + Number(inStorage) + Object.keys(accesses(n, wholeNames).bindings).length;
      return (
        bound <= bindable &&
        4 * held <= (software ? mostHeld.software : mostHeld.hardware) &&
        bytes <= limits.maxComputeWorkgroupStorageSize &&
        invocations <= Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX)
      );
    },
    cost(n, t) {
      const { cell, steps, batch, hidden, slots, held, invocations, inStorage, joined, bytes } = layout(n, t);
      const sequences = batch * cell.backwards.length;
      const turns = turnsOf(cell);
      const barriers = turns * (subgroups ? 1 : 2);
      const vectors = invocations * (16 * slots * turns + 4);
      return withIdleCores(sequences, {
        flops: sequences * invocations * (steps * (8 * held + 120) + 40 * held),
        traffic:
          sequences * 4 * held * invocations * elementBytes(n) +
          sequences * steps * (elementBytes(n) * (cell.gates + 1) * hidden + (inStorage ? vectors : 0)),
        shared:
          sequences * steps * ((inStorage ? 0 : vectors) + invocations * barriers * barrierBytes + 32 * turns * joined),
        cleared: sequences * invocations * bytes,
        workgroups: fill(sequences, invocations),
      });
    },
    dispatches(n, t) {
      const { cell, steps, batch, hidden, units, quads, slots, held, invocations, inStorage } = layout(n, t);
      const directions = cell.backwards.length;
      const access = accesses(n, wholeNames);
      const vectors = { scratch: 'vectors', bytes: 4 * 32 * slots * batch * directions };
      return [
        {
          label: `${cell.name}.resident`,
          wgsl: [
            subgroups ? 'enable subgroups;' : '',
            `const quad_units = ${units}u;\nconst vector_size = ${16 * slots}u;\nconst held_quads = ${held}u;`,
            vectorsText(inStorage, 32 * slots, batch * directions),
            access.text,
            cellText(cell),
            holdText(cell),
            productsText(cell, units, slots),
            joinText(units, subgroups),
            shader,
          ].join('\n'),
          constants: { invocations, hidden, quads, turns: turnsOf(cell) },
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

/** `hold_rows(i, at, inside)`: holds the unit's rows that lie at `at`, or zeros. */
function holdText(cell: Cell): string {
  const rows = Array.from({ length: cell.gates }, (_, g) => (cell.gates === 1 ? 'all' : `all[${g}]`));
  const lines = rows.map((row, g) => `held[i + ${g}u] = select(vec4f(), vec4f(${row}), inside);`);
  return `fn hold_rows(i: u32, at: u32, inside: bool) {
  let all = weights[at];
  ${lines.join('\n  ')}
}`;
}

/** `products_t(at)`: what the part of a vector from `at` on gives the gates of turn t, for each unit. */
function productsText(cell: Cell, units: number, slots: number): string {
  const all = Array.from({ length: units }, (_, u) => u);
  const row = (slot: number, unit: number, gate: number) => `held[${(slot * units + unit) * cell.gates + gate}]`;
  const lanes = [0, 1, 2, 3];
  const body = (gates: readonly number[]) =>
    Array.from({ length: slots }, (_, slot) => [
      `let v${slot} = operand(at + ${16 * slot}u);`,
      ...all.map((unit) => {
        const dots = lanes.map((gate) => (gates.includes(gate) ? `dot(${row(slot, unit, gate)}, v${slot})` : '0.0'));
        return `s${unit} += vec4f(${dots.join(', ')});`;
      }),
    ]).flat();
  const [first = [], second = []] = gatesOfTurns(cell);
  return `alias Sums = array<vec4f, quad_units>;
${[first, second]
  .map(
    (gates, turn) => `fn products_${turn}(at: u32) -> Sums {
  ${all.map((unit) => `var s${unit} = vec4f();`).join(' ')}
  ${gates.length ? body(gates).join('\n  ') : ''}
  return Sums(${all.map((unit) => `s${unit}`).join(', ')});
}`,
  )
  .join('\n')}`;
}

/** `join`: the sum over the four parts for the unit `unit_of(part)`, one of the parts of each `owns`. */
function joinText(units: number, subgroups: boolean): string {
  const [unitOf, owns] = units === 4 ? ['part', 'true'] : ['0u', 'part == 0u'];
  const own = `fn unit_of(part: u32) -> u32 { return ${unitOf}; }
fn owns(part: u32) -> bool { return ${owns}; }`;
  if (!subgroups) {
    return `${own}
var<workgroup> partials: array<Sums, invocations>;
fn join(sums: Sums, local: u32) -> vec4f {
  partials[local] = sums;
  workgroupBarrier();
  let quad = local / 4u * 4u;
  let unit = unit_of(local % 4u);
  return partials[quad][unit] + partials[quad + 1u][unit] + partials[quad + 2u][unit] + partials[quad + 3u][unit];
}`;
  }
  if (units === 1) {
    return `${own}
fn join(sums: Sums, local: u32) -> vec4f {
  let pair = sums[0] + quadSwapX(sums[0]);
  return pair + quadSwapY(pair);
}`;
  }
  // Each swap hands over the half of the units that the neighbour goes on with.
  return `${own}
fn join(sums: Sums, local: u32) -> vec4f {
  let odd = (local & 1u) != 0u;
  let below = select(sums[0], sums[1], odd) + quadSwapX(select(sums[1], sums[0], odd));
  let above = select(sums[2], sums[3], odd) + quadSwapX(select(sums[3], sums[2], odd));
  let high = (local & 2u) != 0u;
  return select(below, above, high) + quadSwapY(select(above, below, high));
}`;
}
