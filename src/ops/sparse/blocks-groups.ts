// Sparse weights in blocks of 1×4 times a matrix, for software adapters: rows in groups, whose blocks of the same inputs follow
// each other, so that the dense operand is loaded once for all of them. What it costs is their sums, which come and go.

import productText from '../../../shaders/sparse-block-groups.wgsl?raw';
import packText from '../../../shaders/sparse-block-groups-pack.wgsl?raw';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Operand, Tunables } from '../../ir/kernel';
import type { Pattern } from '../../ir/pattern';
import type { MatMulNode } from '../matmul/problem';
import { epilogueAxis, type MatMulKernel } from '../matmul/product';
import { foldWorkgroups, linearHelpers, oneEach } from '../wgsl/dispatch';
import { fourText, fourType, putFourText, sourceText } from './bytes';
import { enableShared } from './matrix';
import { type Along, arrayText, roomFor, stepsOf } from './pack';
import {
  canRun,
  denseRows,
  elementBytes,
  frontText,
  invocationFlops,
  isOfBytes,
  isVector,
  openFlops,
  storeColumns,
  valueSize,
  weightsOf,
} from './weights';

interface Groups {
  readonly count: number;
  /** Of a group. */
  readonly rows: number;
  /** [quads of inputs + 1] where their blocks may begin, in fours of blocks. */
  readonly starts: Uint32Array<ArrayBuffer>;
  /** Fours that there is room for. */
  readonly room: number;
  /** Blocks that a run can be expected to compute with. */
  readonly blocks: number;
}

const known = new WeakMap<Pattern, Map<string, Groups>>();

function groupsOf(pattern: Pattern, along: Along, rows: number, most: number): Groups {
  const key = `${along} ${most}`;
  const ofPattern = known.get(pattern) ?? new Map<string, Groups>();
  known.set(pattern, ofPattern);
  let made = ofPattern.get(key);
  if (!made) {
    made = makeGroups(along === 'rows' ? pattern.blocks['1x4'].perColumn : pattern.blocks['4x1'].perRow, rows, most);
    ofPattern.set(key, made);
  }
  return made;
}

function makeGroups(counts: Uint32Array, rows: number, most: number): Groups {
  const count = Math.max(1, ceilDiv(rows, most));
  const starts = new Uint32Array(counts.length + 1);
  let [room, blocks] = [0, 0];
  counts.forEach((ofQuad, quad) => {
    // In each group that has any, up to three are filled up.
    const begun = Math.min(count, ofQuad);
    starts[quad] = room;
    room += Math.floor((ofQuad + 3 * begun) / 4);
    blocks += ofQuad + 1.5 * begun;
  });
  starts[counts.length] = room;
  return { count, rows: ceilDiv(rows, count), starts, room: roomFor(room), blocks };
}

const groupsFor = (n: MatMulNode, t: Tunables) => {
  const { pattern, along, rows } = weightsOf(n);
  return groupsOf(pattern, along, rows, t.group as number);
};

function gridOf(n: MatMulNode, t: Tunables) {
  const { columns, batch } = weightsOf(n);
  const columnTiles = ceilDiv(ceilDiv(columns, 4), t.lanes as number);
  const tiles = columnTiles * batch;
  return { columnTiles, tiles, workgroups: tiles * groupsFor(n, t).count };
}

/** Bytes of the packed values. */
const valueBytes = (n: MatMulNode, room: number) => Math.max(64, 16 * valueSize(n) * room);

/** WGSL of the bindings 0 and 1: `blockAt(i)`, the four values of a block, and the places. */
const packedText = (n: MatMulNode, t: Tunables, { room }: Groups) => `const GROUP = ${t.group}u;
@group(0) @binding(0) var<storage, read> values: ${arrayText(fourType(isOfBytes(n)), 4 * room, room)};
@group(0) @binding(1) var<storage, read> places: ${arrayText('u32', room, room)};
fn blockAt(i: u32) -> vec4f { let four = values[i]; return ${fourText(isOfBytes(n), 'four')}; }
`;

export const blockGroups: MatMulKernel = {
  name: 'sparse-blocks-1x4-groups',
  sparse: true,
  space: { group: [256, 128], lanes: [16, 4] },
  epilogueAxis,
  when: (n, adapter) =>
    adapter.software && adapter.features.includes('subgroups') && canRun(n, adapter) && !isVector(n),
  legal: (n, t, { limits }) =>
    (t.lanes as number) < 2 * Math.max(4, ceilDiv(weightsOf(n).columns, 4)) &&
    valueBytes(n, groupsFor(n, t).room) <= limits.maxStorageBufferBindingSize,
  cost(n, t) {
    const p = weightsOf(n);
    const groups = groupsFor(n, t);
    const { tiles, workgroups } = gridOf(n, t);
    const { pack } = denseRows(n, p);
    const bytes = elementBytes(n);
    const wide = tiles * (t.lanes as number);
    const quads = groups.count * (groups.starts.length - 1);
    return {
      flops: 32 * groups.blocks * wide,
      // Sums in private memory; at every quad of inputs, the loop.
      emulated:
        wide *
        ((200 + openFlops(n)) * groups.blocks +
          200 * quads +
          groups.count * groups.rows * (p.turned ? 2 : 1) * invocationFlops),
      traffic:
        wide * (groups.blocks * (18 + valueSize(n) + 1) + quads * (16 * bytes + 8)) +
        bytes * p.rows * p.columns * p.batch +
        4 * (pack?.bytes ?? 0),
      workgroups,
      dispatches: pack ? 2 : 1,
    };
  },
  dispatches(n, t) {
    const p = weightsOf(n);
    const groups = groupsFor(n, t);
    const packed = packGroups(n, groups, t.group as number);
    const tail = storeColumns(n, p);
    const { operand, quads: denseQuads, planeQuads, pack } = denseRows(n, p);
    const grid = gridOf(n, t);
    return [
      packed.dispatch,
      ...(pack ? [pack.dispatch] : []),
      {
        label: 'MatMul.sparseBlockGroups',
        wgsl: `${enableShared}${frontText(n)}${packedText(n, t, groups)}${tail.text}${productText}`,
        constants: { LANES: t.lanes as number },
        bindings: { ...packed.bindings, dense: operand, ...tail.bindings },
        uniforms: {
          ...{ rows: p.rows, groupRows: groups.rows, columns: p.columns, length: p.length, alpha: n.attributes.alpha },
          ...{ denseQuads, planeQuads, lineQuads: groups.starts.length - 1, ...grid },
        },
        workgroups: foldWorkgroups(grid.workgroups),
      },
    ];
  },
};

function packGroups(n: MatMulNode, groups: Groups, most: number) {
  const weights = weightsOf(n);
  const { input, along, rows, length } = weights;
  const bytes = isOfBytes(n);
  const name = `groups of ${most} ${along}`;
  const lineQuads = groups.starts.length - 1;
  const bindings: Record<'values' | 'places' | 'ranges', Operand> = {
    values: { scratch: `${name} values`, bytes: valueBytes(n, groups.room) },
    places: { scratch: `${name} places`, bytes: Math.max(16, 4 * groups.room) },
    ranges: { scratch: `${name} ranges`, bytes: 8 * groups.count * lineQuads },
  };
  const lanes = 16;
  const { rowStep, columnStep } = stepsOf(weights);
  const dispatch: Dispatch = {
    label: 'MatMul.packBlockGroups',
    wgsl: sourceText(n.input(input).dtype, bytes) + putFourText(bytes) + linearHelpers + packText,
    constants: { LANES: lanes },
    bindings: { source: { input }, starts: { table: `${name} starts`, data: groups.starts }, ...bindings },
    uniforms: {
      ...{ rows, groupRows: groups.rows, length, lineQuads, groups: groups.count },
      ...{ rowStep, inputStep: columnStep },
    },
    workgroups: oneEach(lineQuads, lanes),
    once: true,
  };
  return { dispatch, bindings };
}
