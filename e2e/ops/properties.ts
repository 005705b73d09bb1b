// The property that every operator has: whatever valid case is drawn, the GPU gives what the reference gives, and
// both have the types that `infer` says. Needs a GPUDevice only, so it runs in a page and in Node.

import fc from 'fast-check';
import { bitSize, type DType, dtypes, isFloat, isSmallFloat } from '../../src/base/dtype';
import { LeptonError } from '../../src/base/errors';
import type { NDArray } from '../../src/base/ndarray';
import { formatDims, sameDims, sizeOf } from '../../src/base/shape';
import type { Device } from '../../src/gpu/device';
import type { AnyOp, OpCase } from '../../src/ir/opdef';
import type { Candidate } from '../../src/plan/choose';
import { casesOf, operators } from './cases';
import { checkCase, graphOf, referenceOf } from './harness';
import { takesEverything, withSpecialValues } from './special-inputs';
import { type Recipe, recipes, vary } from './vary';

export interface PropertyOptions {
  readonly seed: number;
  /** Valid cases to draw. */
  readonly runs: number;
  /** Milliseconds after which no further case is drawn. */
  readonly limit: number;
}

/** Most elements of a tensor: references are plain loops. */
const mostElements = 4096;

/** What fails, with the smallest case found that does; undefined where nothing does. */
export async function checkProperty(
  device: Device,
  name: string,
  { seed, runs, limit }: PropertyOptions,
): Promise<string | undefined> {
  const op = operators.find((o) => o.name === name) as AnyOp;
  const { failed, errorInstance, counterexamplePath, numRuns, numSkips } = await fc.check(
    fc.asyncProperty(recipes, async (recipe) => {
      const testCase = caseOf(op, recipe);
      fc.pre(isFair(op, testCase));
      const expected = expectedOf(op, testCase);
      fc.pre(expected?.every(fitsDevice) ?? false);
      const { failures } = await checkCase(device, name, testCase, (found) => [
        found[recipe.variant % found.length] as Candidate,
      ]).catch((error: Error) => ({ failures: [inWords(error)] }));
      if (failures.length > 0) throw new Error(`${describe(testCase)}\n${failures.join('\n')}`);
    }),
    { seed, numRuns: runs, maxSkipsPerRun: 200, interruptAfterTimeLimit: limit },
  );
  if (!failed) return undefined;
  const problem =
    (errorInstance as Error | null)?.message ?? `only ${numRuns} of ${numRuns + numSkips} cases are valid`;
  return `${name}: ${problem}\nLEPTON_SEED=${seed}, path ${counterexamplePath}`;
}

/** The reference's results, or undefined where the operator refuses the case. */
function expectedOf(op: AnyOp, testCase: OpCase): NDArray[] | undefined {
  const small = (dims: readonly unknown[]) => sizeOf(dims as number[]) <= mostElements;
  if (!testCase.inputs.every((input) => !input || small(input.dims))) return undefined;
  try {
    const { graph, arrays } = graphOf(op.name, testCase);
    const types = graph.outputs.map((output) => graph.values.get(output));
    if (!types.every((type) => small(type?.dims ?? []))) return undefined;
    const results = referenceOf(graph, arrays);
    types.forEach((type, i) => {
      const { dtype, dims } = results[i] as NDArray;
      if (type?.dtype === dtype && sameDims(type.dims as number[], dims)) return;
      throw new Error(
        `output ${i} is ${type?.dtype} ${formatDims(type?.dims ?? [])}, the reference's ${dtype} ${formatDims(dims)}`,
      );
    });
    return results;
  } catch (error) {
    if (error instanceof LeptonError && error.code !== 'INTERNAL') return undefined;
    throw new Error(`${describe(testCase)}\n${inWords(error as Error)}`);
  }
}

/** Firefox leaves the message out of the stack. */
function inWords({ message, stack }: Error): string {
  return `${message}\n${stack}`;
}

/** Whether the result is defined: not where it is drawn anew at every run, or places are written twice. */
function isFair(op: AnyOp, { attributes, inputs }: OpCase): boolean {
  // A view is what it is of, even where it must not be taken for that.
  if (op.varies && !op.view) return attributes?.seed !== undefined;
  const places = inputs[1]?.values;
  return op.name !== 'MaxUnpool' || new Set(places).size === places?.length;
}

/** 64-bit integers beyond 32 bits are refused on the GPU. */
function fitsDevice({ dtype, data }: NDArray): boolean {
  if (dtype !== 'int64' && dtype !== 'uint64') return true;
  const [low, high] = dtype === 'int64' ? [-(2 ** 31), 2 ** 31 - 1] : [0, 2 ** 32 - 1];
  return data.every((v: number) => v > low && v < high);
}

function caseOf(op: AnyOp, recipe: Recipe): OpCase {
  const cases = casesOf.get(op.name) ?? [];
  // Lepton's own operators come from its passes alone, and check little of what those cannot get wrong.
  const edits = recipe.edits.filter(
    // What is overwritten is a variable.
    ({ kind }) => !op.name.startsWith('lepton.') || kind === 'size' || (kind === 'constant' && !op.overwrites),
  );
  const varied = vary({ schema: op.attributes, cases, types: typesOf(op, cases) }, { ...recipe, edits });
  const inputs = recipe.values === 'special' ? withSpecialValues(op, cases, varied.inputs, recipe.seed) : varied.inputs;
  return { ...varied, inputs, tolerance: Math.max(3 * (varied.tolerance ?? 0), toleranceOf(op, inputs)) };
}

/** Those of its cases; what works on each element alone should know all that a tensor of a page can have. */
function typesOf(op: AnyOp, cases: readonly OpCase[]): ReadonlySet<DType> {
  const own = cases.flatMap((c) => c.inputs.map((input) => input?.dtype ?? 'float32'));
  return new Set(takesEverything(op) ? [...own, ...ordinary] : own);
}

const ordinary = dtypes.filter((d) => bitSize(d) >= 8 && !isSmallFloat(d) && d !== 'float64' && d !== 'bfloat16');

/**
 * Sums differ more the longer they are, and what is rounded to integers by a whole one where it lies in between. Among
 * few elements there may be none that the error of a small one is small against.
 */
function toleranceOf({ name }: AnyOp, inputs: OpCase['inputs']): number {
  if (/Quant|QLinear|QGemm/.test(name)) return 0.05;
  const few = inputs.every((input) => !input || sizeOf(input.dims) < 16);
  const types = inputs.map((input) => (input ? (input.dtype ?? 'float32') : 'float32'));
  return types.includes('float16') ? 4e-3 : types.every(isFloat) ? (few ? 1e-3 : 1e-4) : 1e-5;
}

function describe({ name, inputs, attributes, outputs, tolerance }: OpCase): string {
  const shown = inputs.map((input) => {
    if (!input) return 'absent';
    const { dtype = 'float32', dims, values, range, constant } = input;
    const content = values ? `= ${values.slice(0, 24).join(', ')}` : range ? `in [${range.join(', ')}]` : '';
    return `${constant ? 'constant ' : ''}${dtype} ${formatDims(dims)} ${content}`;
  });
  return `${name} (${outputs ?? 1} outputs, tolerance ${tolerance}): ${JSON.stringify(attributes)}\n  ${shown.join('\n  ')}`;
}
