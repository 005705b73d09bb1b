// Checks one operator case on a GPU: the case becomes a one-node graph, goes through the real passes and
// planner, and every variant of its kernel with several tunables is compared with the operator's
// reference. Needs a GPUDevice only, so it runs in a page and in Node.

import type { AdapterProfile } from '../../src/base/adapter';
import { toDevice } from '../../src/base/device-form';
import type { DType } from '../../src/base/dtype';
import { isFloat } from '../../src/base/dtype';
import { decode, encode, type NDArray, ndarray } from '../../src/base/ndarray';
import { formatDims, sameDims, sizeOf } from '../../src/base/shape';
import type { Device } from '../../src/gpu/device';
import { Executable } from '../../src/gpu/executable';
import { Runner } from '../../src/gpu/runner';
import { Variables } from '../../src/gpu/variables';
import { GraphBuilder } from '../../src/ir/builder';
import { checkGraph } from '../../src/ir/check';
import type { Graph, Node } from '../../src/ir/graph';
import type { CaseInput, OpCase } from '../../src/ir/opdef';
import { inferNode, opOf, viewNode } from '../../src/ops/registry';
import type { Candidate } from '../../src/plan/choose';
import { makePlan } from '../../src/plan/make-plan';
import { optimise } from '../../src/transform/optimise';
import { specialise } from '../../src/transform/specialise';
import { adapt } from '../../src/worker/next-stage';
import { mulberry32 } from '../support/random';

export interface CaseReport {
  /** One line for every variant that disagrees; empty when all agree. */
  readonly failures: string[];
  /** Variants that ran. */
  readonly kernels: string[];
}

/** A graph with concrete shapes as the planner gets it, checked after every pass. */
export function readyToPlan(graph: Graph, adapter: AdapterProfile): Graph {
  const adapted = adapt(graph, adapter, { precision: 'auto', allowPrecisionLoss: false });
  const specialised = specialise(adapted, new Map());
  checkGraph(specialised, 'after specialise');
  return optimise(specialised, { adapter, debug: true });
}

/** @param configurations which of a kernel's candidates, the planner's choice first, run in turn */
export async function checkCase(
  device: Device,
  op: string,
  testCase: OpCase,
  configurations = someOfEach(hash(`${op} ${testCase.name}`)),
): Promise<CaseReport> {
  const { graph, feeds, arrays } = graphOf(op, testCase);
  const expected = referenceOf(graph, arrays);
  const failures: string[] = [];
  const kernels: string[] = [];
  const optimised = readyToPlan(graph, device.profile);
  const border = new Map([...graph.values.values()].map((v) => [v.name, v.dtype]));
  // Output i of such an operator is input i, overwritten.
  const variables = new Set(opOf(graph.nodes[0] as Node).overwrites ? graph.inputs.slice(0, graph.outputs.length) : []);
  for (let run = 0, runs = 1; run < runs; run++) {
    const used: string[] = [];
    const pick = (found: readonly Candidate[]): Candidate => {
      const meant = found.filter(({ kernel }) => testCase.kernels?.test(kernel.name) ?? true);
      const tried = configurations(meant.length > 0 ? meant : found);
      runs = Math.max(runs, tried.length);
      const chosen = tried[run % tried.length] as Candidate;
      used.push(describe(chosen));
      return chosen;
    };
    const plan = makePlan(optimised, { adapter: device.profile, pick, border, variables });
    const label = used.join(', ') || 'view';
    kernels.push(label);
    const kept = new Variables(device);
    await kept.add(plan.variables);
    for (const { name } of plan.variables) kept.write(name, encode(feeds.get(name) as NDArray));
    const noFiles = () => {
      throw new Error('a case has no files');
    };
    const runner = new Runner(await Executable.create(device, plan, noFiles, { variables: kept.buffers }));
    try {
      const inputs = new Map(
        plan.inputs.map((input) => {
          const array = feeds.get(input.name) as NDArray;
          return [
            input.name,
            { kind: 'bytes' as const, bytes: toDevice(array.dtype, input.device, encode(array), input.name) },
          ];
        }),
      );
      const results = await runner.run(
        inputs,
        plan.outputs.map(({ name }) => ({ name, location: 'cpu' as const })),
      );
      const changed = await kept.read([...variables]);
      for (const [i, name] of graph.outputs.entries()) {
        const want = expected[i] as NDArray;
        const output = variables.size > 0 ? plan.variables[i] : plan.outputs[i];
        if (!output || !sameDims(output.dims, want.dims)) {
          failures.push(
            `${label}: output ${i} has shape ${output && formatDims(output.dims)}, expected ${formatDims(want.dims)}`,
          );
          continue;
        }
        const got = decode(want.dtype, want.dims, (results.bytes.get(name) ?? changed.get(output.name)) as Uint8Array);
        const problem = compare(got, want, testCase.tolerance ?? defaultTolerance(want.dtype));
        if (problem) failures.push(`${label}: output ${i} ${problem}`);
      }
    } catch (error) {
      failures.push(`${label}: ${(error as Error).message}`);
    } finally {
      runner.dispose();
      kept.dispose();
    }
  }
  return { failures, kernels };
}

/**
 * The planner's choice, the best of every other kernel, and one more, which each case has another of: compiling them is what
 * the tests spend their time on.
 */
function someOfEach(seed: number): (found: readonly Candidate[]) => readonly Candidate[] {
  return (found) => {
    const best = new Map<string, Candidate>();
    for (const candidate of found) if (!best.has(candidate.kernel.name)) best.set(candidate.kernel.name, candidate);
    const rest = found.filter((candidate) => best.get(candidate.kernel.name) !== candidate);
    const at = seed % Math.max(1, rest.length);
    return [...best.values(), ...rest.slice(at, at + 1)];
  };
}

function describe({ kernel, tunables }: Candidate): string {
  return [kernel.name, ...Object.entries(tunables).map(([k, v]) => `${k}=${v}`)].join(' ');
}

export function defaultTolerance(dtype: DType): number {
  return dtype === 'float16' ? 2e-3 : 1e-5;
}

/** The case as a graph of one node, what to feed it, and all arrays by name. */
export function graphOf(op: string, testCase: OpCase) {
  const b = new GraphBuilder(`${op} ${testCase.name}`, inferNode);
  const feeds = new Map<string, NDArray>();
  const arrays = new Map<string, NDArray>();
  const inputs = testCase.inputs.map((input, i) => {
    if (!input) return '';
    const name = `input${i}`;
    const array = draw(input, hash(`${op} ${testCase.name} ${i}`));
    arrays.set(name, array);
    if (input.constant) return b.constant(array, name);
    feeds.set(name, array);
    return b.input(name, array.dtype, array.dims);
  });
  const outputs = b.add(op, inputs, { ...testCase.attributes }, testCase.outputs ?? 1);
  return { graph: b.finish(outputs), feeds, arrays };
}

export function referenceOf(graph: Graph, arrays: ReadonlyMap<string, NDArray>): NDArray[] {
  const node = graph.nodes[0] as Graph['nodes'][number];
  const inputs = node.inputs.map((name) => arrays.get(name));
  return opOf(node)
    .reference(viewNode(node, graph.values), inputs)
    .map((a) => decode(a.dtype, a.dims, encode(a)));
}

export function draw(input: CaseInput, seed: number): NDArray {
  const dtype = input.dtype ?? 'float32';
  const rounded = (values: readonly number[]) => {
    return decode(dtype, input.dims, encode(ndarray(dtype, input.dims, values)));
  };
  if (input.values) return rounded(input.values);
  const random = mulberry32(seed);
  const [low, high] = input.range ?? (isFloat(dtype) ? [-1, 1] : dtype === 'bool' ? [0, 1] : [0, 9]);
  const values = Array.from({ length: sizeOf(input.dims) }, () => {
    if (input.zeros && random() < input.zeros) return 0;
    const v = low + random() * (high - low);
    return isFloat(dtype) ? v : Math.round(v);
  });
  return rounded(values);
}

/** The worst disagreement in words, or undefined. Relative to the element and to the output's scale. */
export function compare(got: NDArray, want: NDArray, tolerance: number): string | undefined {
  let scale = 0;
  for (const v of want.data) if (Number.isFinite(v)) scale = Math.max(scale, Math.abs(v));
  let worst = tolerance;
  let problem: string | undefined;
  for (let i = 0; i < want.data.length; i++) {
    const [g, w] = [got.data[i] as number, want.data[i] as number];
    if (Object.is(g, w) || g === w) continue;
    const error = Math.abs(g - w) / (Math.abs(w) + 0.1 * scale + 1e-30);
    if (!(error <= worst)) {
      problem = `differs at element ${i} of ${formatDims(want.dims)}: got ${g}, expected ${w} (relative error ${error.toExponential(1)})`;
      worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
    }
  }
  return problem;
}

function hash(text: string): number {
  let h = 2166136261;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  return h >>> 0;
}
