// How shaders that give a row several invocations join what those found, in their function `join_lanes(value, local)`:
// through workgroup memory alone or within subgroups first. A kernel has a variant for each way.

import memoryText from '../../../shaders/join-memory.wgsl?raw';
import subgroupsText from '../../../shaders/join-subgroups.wgsl?raw';
import type { AdapterProfile } from '../../base/adapter';
import type { Cost, Kernel } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { type LaneLayout, laneLayout, rowLanes } from './lanes';

/** What a lane finds. */
export interface Part {
  /** Its WGSL type, and the bytes of that. */
  readonly type: string;
  readonly bytes: number;
  /** WGSL of two parts `a` and `b` as one. */
  readonly join: string;
  /** WGSL of what no lane finds. */
  readonly nothing: string;
  /** Statements that return, to every invocation of a subgroup, the parts `v` of all of them as one. */
  readonly subgroup: string;
}

/** One number a lane, added up. */
export const sumPart: Part = {
  type: 'f32',
  bytes: 4,
  join: 'a + b',
  nothing: '0.0',
  subgroup: 'return subgroupAdd(v);',
};

export interface Joining {
  /** What the variant adds to the kernel's name. */
  readonly suffix: string;
  /** Feature of the adapter that it takes, if any; the text must begin with `enable`. */
  readonly feature: string | undefined;
  readonly enable: string;
  /** Whether it joins that many lanes to a row. */
  joins(lanes: number): boolean;
  /** WGSL of `join_lanes`, for a shader that has `lanes` as an override, and of what it calls. */
  text(part: Part): string;
  /** The shader's overrides beside `lanes` and `rows`. */
  constants(layout: LaneLayout): Readonly<Record<string, number>>;
  /** What it costs an invocation, but for the operations of `join` itself. */
  cost(layout: LaneLayout, bytes: number): Required<Pick<Cost, 'shared' | 'cleared'>>;
}

const partText = ({ type, join }: Part) =>
  `alias part = ${type};\nfn join(a: part, b: part) -> part { return ${join}; }\n`;

/** Through workgroup memory alone, which every adapter has. */
export const memory: Joining = {
  suffix: '',
  feature: undefined,
  enable: '',
  joins: () => true,
  text: (part) => partText(part) + memoryText,
  constants: ({ invocations, radix }) => ({ radix, slots: invocations, joined_slots: invocations / radix }),
  cost: ({ lanes, invocations, radix }, bytes) => ({
    shared: bytes * (2 + Math.sqrt(lanes)),
    cleared: bytes * (invocations + invocations / radix),
  }),
};

const subgroups: Joining = {
  suffix: '-subgroups',
  feature: 'subgroups',
  enable: 'enable subgroups;\n',
  // A row is a whole workgroup.
  joins: (lanes) => lanes >= 64,
  text: (part) => `${partText(part)}fn nothing() -> part { return ${part.nothing}; }
fn join_subgroup(v: part) -> part { ${part.subgroup} }
${subgroupsText}`,
  constants: () => ({}),
  // Most GPUs have subgroups of 32 invocations or more.
  cost: ({ lanes }, bytes) => ({ shared: bytes * (1 + lanes / 32), cleared: bytes * lanes }),
};

export const joinings: readonly Joining[] = [memory, subgroups];

export function canJoin({ feature }: Joining, { features }: AdapterProfile): boolean {
  return feature === undefined || features.includes(feature);
}

/** What the variants that hold rows in registers have in common, one for each way of joining. @param lengthOf a row's */
export function heldRows<A>(
  joining: Joining,
  lengthOf: (n: NodeView<A>) => number,
): Pick<Kernel<A>, 'name' | 'space' | 'when' | 'legal'> {
  return {
    name: `rows${joining.suffix}`,
    space: rowLanes.space,
    when: (_, adapter) => canJoin(joining, adapter),
    legal(n, t) {
      const lanes = t.lanes as number;
      return joining.joins(lanes) && rowLanes.fit(lengthOf(n), lanes);
    },
  };
}

/** The text of `joining` for a shader with so many lanes to a row. */
export function joinText(joining: Joining, lanes: number, part: Part): string {
  return lanes === 1
    ? `fn join_lanes(value: ${part.type}, local: vec3u) -> ${part.type} { return value; }\n`
    : joining.text(part);
}

export function joinConstants(joining: Joining, layout: LaneLayout): Readonly<Record<string, number>> {
  const { lanes, rows } = layout;
  return { lanes, rows, ...(lanes > 1 && joining.constants(layout)) };
}

/** Operations in the time in which a software adapter takes one invocation through the barriers of joining. */
export const barrierWork = 20_000;

/** What joining costs all invocations of so many workgroups. */
export function joinCost(joining: Joining, lanes: number, workgroups: number, { bytes }: Part) {
  const layout = laneLayout(lanes, workgroups);
  const all = lanes > 1 ? workgroups * layout.invocations : 0;
  const { shared, cleared } = joining.cost(layout, bytes);
  return { shared: all * shared, cleared: all * cleared, emulated: all * barrierWork };
}
