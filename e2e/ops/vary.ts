// Random cases of an operator: one of its own cases and a few edits of sizes, ranks, attributes, types and inputs.
// An edit knows nothing of the operator, so many a result is no valid node; `infer` has to say so. Without edits a
// case is the operator's own: that is what a failure shrinks towards.

import fc from 'fast-check';
import { type DType, dtypes, isFloat } from '../../src/base/dtype';
import { sizeOf } from '../../src/base/shape';
import type { AttributeSchema } from '../../src/ir/attributes';
import type { AttributeValue } from '../../src/ir/graph';
import type { CaseInput, OpCase } from '../../src/ir/opdef';

export interface Recipe {
  readonly template: number;
  readonly edits: readonly Edit[];
  readonly values: 'plain' | 'special';
  readonly seed: number;
  /** Which of the kernels and tunables runs; 0 is the planner's choice. */
  readonly variant: number;
}

interface Edit {
  readonly kind: keyof typeof editors;
  readonly pick: number;
  readonly to: number;
}

interface Pool {
  readonly schema: AttributeSchema;
  /** The operator's own. */
  readonly cases: readonly OpCase[];
  /** Element types worth a try. */
  readonly types: ReadonlySet<DType>;
}

type DraftInput = { -readonly [K in keyof CaseInput]: CaseInput[K] };
interface Draft extends Omit<OpCase, 'inputs' | 'outputs'> {
  inputs: (DraftInput | undefined)[];
  attributes: Record<string, AttributeValue>;
  outputs?: number;
}

/** Around quads, workgroups and tiles, small before large. */
const size = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(1, 2, 3, 4, 5, 6, 7, 8) },
  { weight: 3, arbitrary: fc.constantFrom(9, 11, 13, 15, 16, 17, 31, 32, 33) },
  { weight: 2, arbitrary: fc.constantFrom(0, 61, 63, 64, 65, 100, 127, 128, 129) },
);

/** Each edit changes the draft, or leaves it where it does not apply. */
const editors = {
  /** All dimensions of one size, with the attributes, shape lists and indices that follow it. */
  size(draft: Draft, pick: number, to: number) {
    const sizes = [...new Set(tensors(draft).flatMap((t) => t.dims))];
    const from = at(sizes, pick);
    if (from === undefined) return;
    const moved = (v: number) => (v === from ? to : v);
    for (const input of draft.inputs) {
      if (!input) continue;
      if (isList(input)) {
        input.values = input.values?.map(moved);
        continue;
      }
      input.dims = input.dims.map(moved);
      if (isFloat(input.dtype ?? 'float32')) continue;
      const [low, high] = input.range ?? [0, 9];
      if (input.range)
        input.range = [low === -from ? -to : low, high > 1 && high === from - 1 ? Math.max(0, to - 1) : high];
      // Indices stay within what they index.
      if (to > 0 && to < from && input.values?.every((v) => v >= -from && v < from)) {
        input.values = input.values.map((v) => (v >= 0 ? v % to : -1 - (-(v + 1) % to)));
      }
    }
    for (const [key, value] of Object.entries(draft.attributes)) {
      if (value === from) draft.attributes[key] = to;
      else if (isNumbers(value)) draft.attributes[key] = value.map(moved);
    }
  },
  /** One dimension of one tensor. */
  dim(draft: Draft, pick: number, to: number) {
    const input = at(tensors(draft), pick);
    if (input) input.dims = replaced(input.dims, Math.floor(pick / 8), to);
  },
  /** A dimension more, in all tensors or in one. */
  insert(draft: Draft, pick: number, to: number) {
    const all = tensors(draft);
    const one = at(all, pick);
    const place = Math.floor(pick / 8) % 4;
    for (const input of pick % 3 === 0 ? [one] : all) {
      if (input && place <= input.dims.length) input.dims = input.dims.toSpliced(place, 0, to);
    }
  },
  /** A dimension less, in all tensors or in one. */
  drop(draft: Draft, pick: number) {
    const all = tensors(draft);
    const one = at(all, pick);
    for (const input of pick % 3 === 0 ? [one] : all) {
      if (input) input.dims = input.dims.toSpliced(Math.floor(pick / 8) % 4, 1);
    }
  },
  /** An attribute gets a value that another case gives it, its default, or a number near what it is. */
  attribute(draft: Draft, pick: number, to: number, { schema, cases }: Pool) {
    const key = at(Object.keys(schema), pick);
    if (key === undefined) return;
    const current = draft.attributes[key] ?? (schema[key]?.fallback as AttributeValue | undefined);
    const values: (AttributeValue | undefined)[] = [undefined, ...cases.map((c) => c.attributes?.[key])];
    if (schema[key]?.kind === 'int') values.push(0, 1, -1, to, ...(typeof current === 'number' ? [current + 1] : []));
    if (schema[key]?.kind === 'float') values.push(0, 1, -1.5, 0.25);
    if (current !== undefined && isNumbers(current) && schema[key]?.kind === 'ints') {
      for (const v of [0, 1, 2, -1, to]) values.push(replaced(current, to, v));
    }
    const value = at(values, Math.floor(pick / 8));
    if (value === undefined) delete draft.attributes[key];
    else draft.attributes[key] = value;
  },
  /** An element of a shape list. */
  element(draft: Draft, pick: number, to: number) {
    const list = at(
      draft.inputs.filter((input) => input !== undefined && isList(input)),
      pick,
    );
    if (!list?.values?.length) return;
    const place = Math.floor(pick / 4);
    const v = at(list.values, place) as number;
    const choices = [to, v + 1, v - 1, -v, 0, 1, -1, 2 ** 63, -(2 ** 63)];
    list.values = replaced(list.values, place, at(choices, Math.floor(pick / 16)) as number);
  },
  /** Another element type for all tensors of one. */
  dtype(draft: Draft, pick: number, to: number, { types }: Pool) {
    const from = at([...new Set(tensors(draft).map(typeOf))], pick);
    if (from === undefined) return;
    const dtype = at(
      dtypes.filter((d) => types.has(d) && isFloat(d) === isFloat(from)),
      to,
    );
    if (dtype) for (const input of tensors(draft)) if (typeOf(input) === from) input.dtype = dtype;
  },
  /** An input left out. */
  omit(draft: Draft, pick: number) {
    const place = pick % Math.max(1, draft.inputs.length);
    if (place > 0) draft.inputs[place] = undefined;
    while (draft.inputs.length > 1 && draft.inputs.at(-1) === undefined) draft.inputs.pop();
  },
  /** An input given as an initialiser or fed, while another one is fed. */
  constant(draft: Draft, pick: number) {
    const all = tensors(draft);
    const input = at(all, pick);
    if (input && all.some((t) => t !== input && !t.constant)) input.constant = !input.constant;
  },
  /** How many outputs are asked for. */
  outputs(draft: Draft, pick: number, _to: number, { cases }: Pool) {
    draft.outputs = 1 + (pick % Math.max(...cases.map((c) => c.outputs ?? 1)));
  },
};

export const recipes: fc.Arbitrary<Recipe> = fc.record({
  template: fc.nat(999),
  edits: fc.array(
    fc.record({
      kind: fc.oneof(
        { weight: 2, arbitrary: fc.constant<Edit['kind']>('size') },
        { weight: 3, arbitrary: fc.constantFrom(...(Object.keys(editors) as Edit['kind'][])) },
      ),
      pick: fc.nat(999),
      to: size,
    }),
    { minLength: 0, maxLength: 4, size: 'max' },
  ),
  values: fc.constantFrom('plain', 'special'),
  seed: fc.nat(999),
  variant: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(99) }),
});

export function vary(pool: Pool, recipe: Recipe): OpCase {
  const template = at(pool.cases, recipe.template) as OpCase;
  const draft = structuredClone({ ...template, attributes: template.attributes ?? {} }) as Draft;
  for (const { kind, pick, to } of recipe.edits) editors[kind](draft, pick, to, pool);
  for (const input of draft.inputs) if (input) settle(input, recipe.seed);
  return { ...draft, name: `${template.name}, seed ${recipe.seed}` };
}

/** As many values as there are elements, of the input's type. */
function settle(input: DraftInput, seed: number): void {
  const { dtype = 'float32', dims, values, range } = input;
  const size = sizeOf(dims);
  if (range) input.range = range.map((v) => fitting(dtype, v)) as [number, number];
  if (!values || size > 1e5) return;
  if (values.length === 0) delete input.values;
  else {
    const drawn =
      values.length === size ? values : Array.from({ length: size }, (_, i) => at(values, i * 31 + seed) as number);
    input.values = drawn.map((v) => fitting(dtype, v));
  }
}

function fitting(dtype: DType, value: number): number {
  if (dtype === 'bool') return Number(value !== 0);
  return dtype.startsWith('u') ? Math.abs(value) : value;
}

/** Inputs but for those that give shapes, axes and the like. */
function tensors(draft: Draft): DraftInput[] {
  return draft.inputs.filter((input): input is DraftInput => input !== undefined && !isList(input));
}

function isList(input: CaseInput): boolean {
  return input.constant === true && input.dims.length <= 1 && (input.dtype === 'int64' || input.dtype === 'int32');
}

function typeOf({ dtype = 'float32' }: CaseInput): DType {
  return dtype;
}

function isNumbers(value: AttributeValue): value is readonly number[] {
  return Array.isArray(value) && value.every((v) => typeof v === 'number');
}

function at<T>(list: readonly T[], index: number): T | undefined {
  return list[index % Math.max(1, list.length)];
}

function replaced(list: readonly number[], index: number, value: number): number[] {
  return list.map((v, i) => (i === index % list.length ? value : v));
}
