// Sequences and optionals of tensors. What they hold is known when a graph is planned, so they cost nothing:
// a sequence is a list of values by name, and these operators put such lists together and take them apart.

import { int64s, scalar } from '../base/ndarray';
import { int, required } from '../ir/attributes';
import type { NodeView } from '../ir/node-view';
import { defineFlow, type ExpandBuilder } from '../ir/opdef';
import { axisOf } from './axes';

function sequenceOf(n: NodeView, b: ExpandBuilder, input = 0): readonly string[] {
  const name = n.node.inputs[input] ?? '';
  return b.members(name) ?? n.fail(`needs a sequence as its input ${input}, but "${name}" is none`);
}

/** A place in a sequence of `length` tensors, up to `last`; negative ones count from the end. */
function placeIn(n: NodeView, given: number, length: number, last = length - 1): number {
  const place = given < 0 ? given + length : given;
  if (!(place >= 0 && place <= last && Number.isInteger(place)))
    n.fail(`has the position ${given}, but its sequence holds ${length} tensors`);
  return place;
}

const construct = defineFlow({
  name: 'SequenceConstruct',
  attributes: {},
  expand: (n) => [{ members: n.node.inputs }],
});

const empty = defineFlow({ name: 'SequenceEmpty', attributes: { dtype: int() }, expand: () => [{ members: [] }] });

const at = defineFlow({
  name: 'SequenceAt',
  attributes: {},
  expand(n, b) {
    const members = sequenceOf(n, b);
    const given = n.numbers(1)?.[0] ?? n.fail('lacks its position');
    return [members[placeIn(n, given, members.length)] as string];
  },
});

const insert = defineFlow({
  name: 'SequenceInsert',
  attributes: {},
  expand(n, b) {
    const members = sequenceOf(n, b);
    const place = placeIn(n, n.numbers(2)?.[0] ?? members.length, members.length, members.length);
    return [{ members: members.toSpliced(place, 0, n.node.inputs[1] as string) }];
  },
});

const erase = defineFlow({
  name: 'SequenceErase',
  attributes: {},
  expand(n, b) {
    const members = sequenceOf(n, b);
    return [{ members: members.toSpliced(placeIn(n, n.numbers(1)?.[0] ?? -1, members.length), 1) }];
  },
});

const length = defineFlow({
  name: 'SequenceLength',
  attributes: {},
  expand: (n, b) => [b.constant(scalar('int64', sequenceOf(n, b).length))],
});

const split = defineFlow({
  name: 'SplitToSequence',
  attributes: { axis: int(0), keepdims: int(1) },
  expand(n, b) {
    const x = n.node.inputs[0] as string;
    const { dims } = n.input(0);
    const axis = axisOf(n, n.attributes.axis, dims.length);
    const size = dims[axis] as number;
    const given = n.numbers(1);
    const least = given && n.input(1).dims.length === 0 ? 1 : 0;
    const wrong = given?.find((part) => !Number.isInteger(part) || part < least);
    if (wrong !== undefined) n.fail(`splits into parts of ${wrong}`);
    const each = given && n.input(1).dims.length > 0 ? undefined : (given?.[0] ?? 1);
    const sizes = each
      ? Array.from({ length: Math.ceil(size / each) }, (_, i) => Math.min(each, size - i * each))
      : (given as number[]);
    if (sizes.length === 0) return [{ members: [] }];
    const parts = b.add('Split', [x, b.constant(int64s(sizes))], { axis }, sizes.length);
    if (given || n.attributes.keepdims) return [{ members: parts }];
    const axes = b.constant(int64s([axis]));
    return [{ members: parts.map((part) => b.add('Squeeze', [part, axes])[0] as string) }];
  },
});

const concat = defineFlow({
  name: 'ConcatFromSequence',
  attributes: { axis: required('int'), new_axis: int(0) },
  expand(n, b) {
    const { axis, new_axis } = n.attributes;
    const members = sequenceOf(n, b);
    if (members.length === 0) n.fail('joins an empty sequence');
    if (!new_axis) return b.add('Concat', members, { axis });
    const axes = b.constant(int64s([axis]));
    const rows = members.map((member) => b.add('Unsqueeze', [member, axes])[0] as string);
    return b.add('Concat', rows, { axis });
  },
});

const map = defineFlow({
  name: 'SequenceMap',
  attributes: { body: required('graph') },
  expand(n, b) {
    const { body } = n.attributes;
    const columns = sequenceOf(n, b).map((_, i) => {
      const inputs = n.node.inputs.map((name) => {
        const members = b.members(name);
        return members ? (members[i] ?? n.fail(`maps sequences of different lengths`)) : name;
      });
      return b.inline(body, inputs);
    });
    return body.outputs.map((_, k) => ({ members: columns.map((column) => column[k] as string) }));
  },
});

const optional = defineFlow({
  name: 'Optional',
  attributes: {},
  expand: (n) => [n.node.inputs[0] || { members: null }],
});

const hasElement = defineFlow({
  name: 'OptionalHasElement',
  attributes: {},
  expand(n, b) {
    const name = n.node.inputs[0] ?? '';
    return [b.constant(scalar('bool', name === '' || b.members(name) === null ? 0 : 1))];
  },
});

const getElement = defineFlow({
  name: 'OptionalGetElement',
  attributes: {},
  expand(n, b) {
    const name = n.node.inputs[0] ?? '';
    if (name === '' || b.members(name) === null) n.fail('takes the element of an optional that holds none');
    return [name];
  },
});

export default [construct, empty, at, insert, erase, length, split, concat, map, optional, hasElement, getElement];
