// The kernels of ArgMax and ArgMin. `positions`: an invocation for four outputs, for many outputs. `row`: an invocation,
// a part of a workgroup or a whole one for one output. In both an output may fall into parts; a second dispatch then looks
// for the best of what was found in these.

import columnsShader from '../../../shaders/arg-reduce.wgsl?raw';
import rowShader from '../../../shaders/arg-reduce-row.wgsl?raw';
import { byteSize, type DType, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { foldWorkgroups, linearHelpers } from '../wgsl/dispatch';
import {
  barrierWork,
  canJoin,
  type Joining,
  joinConstants,
  joinCost,
  joinings,
  joinText,
  type Part,
} from '../wgsl/join-lanes';
import { busyRows, columnsOf, laneLayout, loadsApart } from '../wgsl/lanes';
import { orderKeyText } from '../wgsl/order-keys';
import { accumulatorType } from './reducer';
import { readLanesText } from './text';

/** The input as [outer, length, inner], the axis in the middle; `outputs` is outer · inner. */
export interface ArgSplit {
  readonly length: number;
  readonly inner: number;
  readonly outputs: number;
}

export interface Sought {
  readonly name: string;
  readonly sign: '>' | '<';
  /** Of equals the last instead of the first. */
  readonly last: boolean;
}

/** One dispatch. */
interface Stage extends ArgSplit {
  readonly label: string;
  readonly sought: Sought;
  readonly read: DType;
  readonly parts: number;
  readonly partLength: number;
  /** How what was found is stored. */
  readonly storing: 'positions' | 'findings' | 'found positions';
  readonly bindings: Readonly<Record<string, Operand>>;
}

/** Operations on four elements. */
const step = 100;

/** @param splitOf the search a node asks for */
export function argKernels<A>(
  soughtOf: (n: NodeView<A>) => Sought,
  splitOf: (n: NodeView<A>) => ArgSplit,
): Kernel<A>[] {
  const bytes = (n: NodeView<A>) => byteSize(deviceType(n.input(0).dtype));
  const row = (joining: Joining): Kernel<A> => ({
    name: `row${joining.suffix}`,
    space: { lanes: [64, 256, 8, 1], parts: [1, 16, 64] },
    when: (_, adapter) => canJoin(joining, adapter),
    legal(n, t) {
      const quads = ceilDiv(splitOf(n).length, 4);
      const lanes = t.lanes as number;
      if (!joining.joins(lanes)) return false;
      return t.parts === 1 ? lanes <= Math.max(8, quads) : lanes === 64 && quads >= 16 * (t.parts as number);
    },
    cost(n, t) {
      const { outputs, length, inner } = splitOf(n);
      const [lanes, parts] = [t.lanes as number, t.parts as number];
      const results = busyRows(outputs * parts, lanes);
      const workgroups = ceilDiv(outputs * parts, laneLayout(lanes, outputs * parts).rows);
      return {
        flops: results * lanes * (step * ceilDiv(length, parts * 4 * lanes) + 40),
        // Elements that lie apart fetch more than themselves.
        traffic:
          ceilDiv(results * length, parts) * bytes(n) * (inner > 1 ? 2 : loadsApart(length, lanes)) +
          results * (parts > 1 ? 20 : 4),
        ...joinCost(joining, lanes, workgroups, partOf(soughtOf(n))),
        workgroups,
        dispatches: parts > 1 ? 2 : 1,
      };
    },
    dispatches: (n, t, { software }) =>
      stages(n.input(0).dtype, soughtOf(n), splitOf(n), {
        parts: t.parts as number,
        stride: splitOf(n).outputs,
        software,
        dispatch: (stage) => rowDispatch(stage, joining, t.lanes as number),
      }),
  });
  return [
    {
      name: 'positions',
      space: { rows: [1, 8, 32], parts: [1, 16, 64] },
      legal: (n, t) => t.parts === 1 || (t.rows === 1 && splitOf(n).length >= 8 * (t.parts as number)),
      cost(n, t) {
        const { length, outputs, inner } = splitOf(n);
        const [rows, parts] = [t.rows as number, t.parts as number];
        const quads = ceilDiv(outputs, 4) * parts;
        const columns = columnsOf(rows, quads);
        const workgroups = ceilDiv(quads, columns);
        return {
          flops: workgroups * columns * rows * (step * ceilDiv(length, parts * rows) + 60),
          traffic:
            4 * busyRows(quads, rows) * (ceilDiv(length, parts) * bytes(n) * (inner === 1 ? 2 : 1) + 4) +
            (parts > 1 ? 64 * quads : 0),
          shared: rows > 1 ? workgroups * 64 * 64 : 0,
          cleared: rows > 1 ? workgroups * 64 * 64 * 32 : 0,
          emulated: rows > 1 ? workgroups * 64 * barrierWork : 0,
          workgroups,
          dispatches: parts > 1 ? 2 : 1,
        };
      },
      dispatches: (n, t, { software }) =>
        stages(n.input(0).dtype, soughtOf(n), splitOf(n), {
          parts: t.parts as number,
          // Parts in whole quads.
          stride: 4 * ceilDiv(splitOf(n).outputs, 4),
          software,
          dispatch: (stage) => columnsDispatch(stage, t.rows as number),
        }),
    },
    ...joinings.map(row),
  ];
}

interface Parting {
  readonly parts: number;
  /** Findings between one part's first output and the next part's. */
  readonly stride: number;
  readonly software: boolean;
  readonly dispatch: (stage: Stage) => Dispatch;
}

/** The search as one stage, or as one for the parts and one for what these found. */
function stages(read: DType, sought: Sought, split: ArgSplit, { parts, stride, software, dispatch }: Parting) {
  const { name } = sought;
  const { outputs, length } = split;
  const [input, result] = [{ input: 0 }, { output: 0 }];
  if (parts === 1) {
    const bindings = { input, result };
    return [
      dispatch({ ...split, label: name, sought, read, parts, partLength: length, storing: 'positions', bindings }),
    ];
  }
  const partLength = 4 * ceilDiv(length, 4 * parts);
  const used = ceilDiv(length, partLength);
  const scratch = (what: string): Operand => ({ scratch: what, bytes: 4 * stride * used });
  const [keys, places] = [scratch('keys'), scratch('places')];
  const found = { found_keys: keys, found_places: places };
  return [
    dispatch({
      ...{ ...split, label: `${name}.parts`, sought, read, parts: used, partLength },
      storing: 'findings',
      bindings: { input, ...found },
    }),
    columnsDispatch(
      {
        ...{ outputs, length: used, inner: stride, label: `${name}.join`, sought, read: 'uint32', parts: 1 },
        partLength: used,
        storing: 'found positions',
        bindings: { input: keys, found_places: places, result },
      },
      // Workgroup memory would cost a software adapter more than all else.
      outputs <= 64 && !software ? 32 : 1,
    ),
  ];
}

const declare = (binding: number, variable: string, access: 'read' | 'read_write', type: string) =>
  `@group(0) @binding(${binding}) var<storage, ${access}> ${variable}: array<${type}>;\n`;

/** `store`, and what it writes to: four outputs at a time, or one. */
function storeText(storing: Stage['storing'], width: 4 | 1): string {
  const [u32, i32] = width === 4 ? ['vec4u', 'vec4i'] : ['u32', 'i32'];
  const head = `fn store(item: u32, output: ${u32}, key: ${u32}, position: ${u32})`;
  const result = declare(2, 'result', 'read_write', i32);
  if (storing === 'positions') return `${result}${head} { result[item] = ${i32}(position); }\n`;
  if (storing === 'findings') {
    return `${declare(2, 'found_keys', 'read_write', u32)}${declare(3, 'found_places', 'read_write', u32)}${head} {
  found_keys[item] = key;
  found_places[item] = position;
}
`;
  }
  // Where it was found is a part.
  const places = ['x', 'y', 'z', 'w'].map((k) => `found_places[at.${k}]`);
  return `${result}${declare(3, 'found_places', 'read', 'u32')}${head} {
  let at = position * params.inner + output;
  result[item] = vec4i(vec4u(${places.join(', ')}));
}
`;
}

/**
 * What every shader of the search has in front.
 * @param width outputs that an invocation stores; if four, it reads one element of each at a time, else four of the one
 */
function frontText({ sought, read, inner, storing, length }: Stage, width: 4 | 1): string {
  const { sign } = sought;
  const sideBySide = width === 4 ? inner % 4 === 0 : inner === 1 && length % 4 === 0;
  return `${linearHelpers}
fn beats(a: vec4u, b: vec4u) -> vec4<bool> { return a ${sign} b; }
${orderKeyText(accumulatorType(read), 4, sign === '>' ? 'highest' : 'lowest')}
${readLanesText(read, sideBySide)}${storeText(storing, width)}`;
}

const uniforms = ({ outputs, length, inner, parts, partLength }: Stage) => ({
  outputs,
  length,
  inner,
  parts,
  part_length: partLength,
});

function columnsDispatch(stage: Stage, rows: number): Dispatch {
  const quads = ceilDiv(stage.outputs, 4) * stage.parts;
  const columns = columnsOf(rows, quads);
  return {
    label: `${stage.label}.positions`,
    wgsl: frontText(stage, 4) + columnsShader,
    constants: { columns, rows, slots: rows > 1 ? 64 : 1, select_last: stage.sought.last ? 1 : 0 },
    bindings: stage.bindings,
    uniforms: uniforms(stage),
    workgroups: foldWorkgroups(ceilDiv(quads, columns)),
  };
}

function rowDispatch(stage: Stage, joining: Joining, lanes: number): Dispatch {
  const layout = laneLayout(lanes, stage.outputs * stage.parts);
  return {
    label: `${stage.label}.row`,
    wgsl: joining.enable + frontText(stage, 1) + joinText(joining, lanes, partOf(stage.sought)) + rowShader,
    constants: { ...joinConstants(joining, layout), select_last: stage.sought.last ? 1 : 0 },
    bindings: stage.bindings,
    uniforms: uniforms(stage),
    workgroups: foldWorkgroups(ceilDiv(stage.outputs * stage.parts, layout.rows)),
  };
}

/** Key and position of what lanes find; that of none loses to all. */
function partOf({ sign, last }: Sought): Part {
  const [best, worst] = sign === '>' ? ['subgroupMax', '0u'] : ['subgroupMin', '0xffffffffu'];
  const [first, farthest] = last ? ['subgroupMax', '0u'] : ['subgroupMin', '0xffffffffu'];
  return {
    type: 'vec2u',
    bytes: 8,
    join: 'join_finds(a, b)',
    nothing: `vec2u(${worst}, ${farthest})`,
    subgroup: `let key = ${best}(v.x); return vec2u(key, ${first}(select(${farthest}, v.y, v.x == key)));`,
  };
}
