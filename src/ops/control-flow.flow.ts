// If, Loop and Scan. They are written out as far as what steers them is known: a branch when its condition
// is, one iteration of a loop at a time when it is known to take place. What is not known yet is computed
// and read first, by a stage of its own; see transform/divide.ts.

import { ndarray, scalar } from '../base/ndarray';
import { int, ints, required } from '../ir/attributes';
import type { Graph } from '../ir/graph';
import type { NodeView } from '../ir/node-view';
import { defineFlow, type ExpandBuilder } from '../ir/opdef';
import { axisOf } from './axes';

const ifFlow = defineFlow({
  name: 'If',
  attributes: { then_branch: required('graph'), else_branch: required('graph') },
  expand(n, b) {
    const { then_branch, else_branch } = n.attributes;
    const [condition] = n.numbers(0) ?? n.fail('lacks its condition');
    return [...b.inline(condition ? then_branch : else_branch, [])];
  },
});

/** Iterations of a loop whose collected outputs become one: a list of them all would grow with every iteration. */
const stackEvery = 64;

const loop = defineFlow({
  name: 'Loop',
  attributes: {
    body: required('graph'),
    /** Iterations written out so far, and the number of loop-carried values: given by `expand` itself. */
    'lepton.iteration': int(0),
    'lepton.carried': int(),
  },
  expand(n, b) {
    const { body, 'lepton.iteration': iteration, 'lepton.carried': given } = n.attributes;
    const carried = given ?? n.inputs.length - 2;
    if (body.inputs.length !== carried + 2 || body.outputs.length < carried + 1) {
      n.fail(
        `carries ${carried} values, but its body has ${body.inputs.length} inputs and ${body.outputs.length} outputs`,
      );
    }
    const limit = n.numbers(0)?.[0] ?? Number.POSITIVE_INFINITY;
    const goesOn = iteration < limit && (n.numbers(1)?.[0] ?? 1) !== 0;
    const state = n.node.inputs.slice(2, 2 + carried);
    const collected = n.node.inputs.slice(2 + carried);
    const scans = body.outputs.slice(1 + carried);
    const stacked = Math.floor(iteration / stackEvery) * scans.length;
    if (!goesOn) {
      return [
        ...state,
        ...scans.map((output, k) => {
          const stacks = every(collected.slice(0, stacked), scans.length, k);
          return stack(n, b, {
            body,
            output,
            stacks,
            parts: every(collected.slice(stacked), scans.length, k),
            axis: 0,
          });
        }),
      ];
    }
    const [condition, ...results] = b.inline(body, [
      b.constant(scalar('int64', iteration)),
      b.constant(scalar('bool', 1)),
      ...state,
    ]);
    let parts = [...collected.slice(stacked), ...results.slice(carried)];
    if ((iteration + 1) % stackEvery === 0) {
      parts = scans.map((output, k) => stack(n, b, { body, output, parts: every(parts, scans.length, k), axis: 0 }));
    }
    const next = [
      ...[n.node.inputs[0] ?? '', condition as string, ...results.slice(0, carried)],
      ...[...collected.slice(0, stacked), ...parts],
    ];
    const attributes = { body: { graph: body }, 'lepton.iteration': iteration + 1, 'lepton.carried': carried };
    return b.add('Loop', next, attributes, n.node.outputs.length);
  },
});

const scan = defineFlow({
  name: 'Scan',
  attributes: {
    body: required('graph'),
    num_scan_inputs: required('int'),
    scan_input_axes: ints(),
    scan_input_directions: ints(),
    scan_output_axes: ints(),
    scan_output_directions: ints(),
  },
  expand(n, b) {
    const { body, num_scan_inputs, scan_input_axes, scan_input_directions } = n.attributes;
    const carried = n.inputs.length - num_scan_inputs;
    if (carried < 0 || num_scan_inputs < 1 || body.inputs.length !== n.inputs.length || body.outputs.length < carried) {
      n.fail(
        `has ${n.inputs.length} inputs, ${num_scan_inputs} of them scanned, but its body has ${body.inputs.length} inputs and ${body.outputs.length} outputs`,
      );
    }
    const scanned = n.node.inputs.slice(carried).map((name, k) => {
      const { dims } = n.input(carried + k);
      const axis = axisOf(n, scan_input_axes?.[k] ?? 0, dims.length);
      return { name, axis, length: dims[axis] as number, reverse: scan_input_directions?.[k] === 1 };
    });
    const length = (scanned[0] as (typeof scanned)[number]).length;
    const other = scanned.find((s) => s.length !== length);
    if (other) n.fail(`scans ${length} elements of its first sequence, but ${other.length} of "${other.name}"`);

    let state: readonly string[] = n.node.inputs.slice(0, carried);
    const collected: (readonly string[])[] = [];
    for (let t = 0; t < length; t++) {
      const elements = scanned.map(({ name, axis, reverse }) => {
        const at = b.constant(scalar('int64', reverse ? length - 1 - t : t));
        return b.add('Gather', [name, at], { axis })[0] as string;
      });
      const results = b.inline(body, [...state, ...elements]);
      state = results.slice(0, carried);
      collected.push(results.slice(carried));
    }
    const { scan_output_axes, scan_output_directions } = n.attributes;
    const stacked = body.outputs.slice(carried).map((output, k) => {
      const parts = collected.map((results) => results[k] as string);
      if (scan_output_directions?.[k] === 1) parts.reverse();
      return stack(n, b, { body, output, parts, axis: scan_output_axes?.[k] ?? 0 });
    });
    return [...state, ...stacked];
  },
});

export default [ifFlow, loop, scan];

function every(list: readonly string[], step: number, first: number): string[] {
  return list.filter((_, i) => i % step === first);
}

interface Collected {
  readonly body: Graph;
  readonly output: string;
  readonly parts: readonly string[];
  readonly axis: number;
  /** What earlier iterations gave, stacked already. */
  readonly stacks?: readonly string[];
}

/** What the iterations gave for one output of the body, along a new axis. */
function stack(n: NodeView, b: ExpandBuilder, { body, output, parts, axis, stacks = [] }: Collected): string {
  if (parts.length === 0 && stacks.length === 0) {
    const { dtype = 'float32', dims } = body.values.get(output) ?? {};
    if (!dims?.every((d) => typeof d === 'number')) {
      return n.fail(
        `runs for no iteration, and its body declares no concrete shape for "${output}"`,
        'UNSUPPORTED_MODEL',
      );
    }
    const at = axis < 0 ? axis + dims.length + 1 : axis;
    return b.constant(ndarray(dtype, [...dims.slice(0, at), 0, ...dims.slice(at)] as number[]));
  }
  const axes = b.constant(ndarray('int64', [1], [axis]));
  const rows = parts.map((part) => b.add('Unsqueeze', [part, axes])[0] as string);
  return b.add('Concat', [...stacks, ...rows], { axis })[0] as string;
}
