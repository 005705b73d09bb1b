// Writes docs/operators.md: one row an operator, from what its definition says and from a whole conformance
// run. Nothing in the page is written by hand.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../.ci/command';
import { type DType, dtypes, isFloat } from '../../src/base/dtype';
import type { AnyOp, OpCase } from '../../src/ir/opdef';
import { newestName, newestOpset } from '../../src/read/upgrade';
import { lower } from '../../src/transform/lower';
import { casesOf, flows, operators } from '../ops/cases';
import { graphOf } from '../ops/harness';
import { unchecked, without } from '../ops/without-derivative';
import type { ConformanceCase } from './cases';
import { passes } from './expected';
import type { CaseResult } from './run-suite';

export const operatorsPage = join(root, 'docs/operators.md');

/** @param results of the whole suite, in the order of `cases` */
export function writeOperatorsPage(cases: readonly ConformanceCase[], results: readonly CaseResult[]): void {
  const verdicts = cases.map((c, i) => ({ ...c, passed: passes(results[i] as CaseResult) }));
  const described = new Map<string, string>([
    ['Constant', 'part of the model: nothing runs'],
    ...operators.map((op): [string, string] => [op.name, kernelsOf(op)]),
    ...flows.map(({ name }): [string, string] => [name, 'control flow: written out node by node']),
  ]);
  const names = [...new Set([...described.keys(), ...cases.map(({ op }) => op)])].sort();
  const rows = names.map((name) => {
    const own = verdicts.filter(({ op }) => op === name);
    const newest = newestName(name);
    const how = described.get(name) ?? (described.has(newest) ? `read as ${newest}` : 'not supported');
    return [name, opsetsOf(own), dtypesOf(name, own), how, gradientOf(newest), countsOf(own)];
  });
  const passed = verdicts.filter((v) => v.passed).length;
  const header = ['operator', 'opsets', 'element types', 'how it runs', 'gradient', 'cases'];
  const table = [header, header.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`);
  writeFileSync(operatorsPage, `${preamble(passed, cases.length)}\n\n${table.join('\n')}\n`);
}

function preamble(passed: number, all: number): string {
  return `# Operators

This page is written by \`npm run conformance -- --update\`; do not edit it.

Lepton reads models of opsets 1 to ${newestOpset} and brings them to the newest while reading. Of ONNX's ${all} operator
cases ${passed} pass in Chromium. The columns:

- **opsets**: those of the conformance cases.
- **element types**: those that passing conformance cases and Lepton's own operator tests feed.
- **how it runs**: the names of its kernels; *pointwise* operators are generated and fused; *view* is no work at
  all; *lowered to* lists the operators that do the work; *host* gives the reason why it cannot be the GPU's.
- **gradient**: whether it can be trained through; – where no floats come from floats.
- **cases**: conformance cases passed, of those about this operator whose tensors a page can hold.`;
}

function kernelsOf(op: AnyOp): string {
  const lowered = op.lower ? loweredTo(op.name, casesOf.get(op.name) ?? []) : [];
  const parts = [
    ...(op.host === undefined ? [] : [`host: ${op.host}`]),
    ...(op.view ? ['view'] : []),
    ...(op.shapeOnly ? ['known with the shapes'] : []),
    ...(op.pointwise ? ['pointwise'] : []),
    ...(op.kernels ?? []).map(({ name }) => name),
    ...(lowered.length > 0 ? [`lowered to ${lowered.join(', ')}`] : []),
  ];
  return parts.join('; ') || 'reference on the host';
}

/** Whether a gradient passes; a dash where no floats come from floats. */
function gradientOf(name: string): string {
  const op = operators.find((o) => o.name === name);
  if (!op) return flows.some((flow) => flow.name === name) ? 'as what is written out' : '–';
  if (without.has(name) || op.host !== undefined) return 'no';
  const ofFloats = (casesOf.get(name) ?? []).some((testCase) => {
    if (!testCase.inputs.some((input) => input && isFloat(input.dtype ?? 'float32'))) return false;
    const { graph } = graphOf(name, testCase);
    return graph.outputs.some((output) => isFloat(graph.values.get(output)?.dtype ?? 'bool'));
  });
  return ofFloats && !unchecked.has(name) ? 'yes' : '–';
}

/** The operators that do the work in any of the operator's own test cases. */
function loweredTo(name: string, cases: readonly OpCase[]): string[] {
  const found = cases.flatMap((testCase) => {
    const inputs = testCase.inputs.map((input) => input && { ...input, constant: true });
    const { graph } = graphOf(name, { ...testCase, inputs });
    return lower(graph).nodes.map(({ op }) => op);
  });
  return [...new Set(found)].filter((op) => op !== name && op !== 'Identity').sort();
}

function opsetsOf(cases: readonly ConformanceCase[]): string {
  const opsets = [...new Set(cases.map(({ opset }) => opset))].sort((a, b) => a - b);
  return opsets.join(', ') || '–';
}

function dtypesOf(name: string, cases: readonly (ConformanceCase & { passed: boolean })[]): string {
  const found = new Set<DType>([
    ...cases.flatMap((c) => (c.passed ? c.dtypes : [])),
    ...(casesOf.get(name) ?? []).flatMap((c) => c.inputs.flatMap((input) => (input ? [input.dtype ?? 'float32'] : []))),
  ]);
  return dtypes.filter((dtype) => found.has(dtype)).join(', ') || '–';
}

function countsOf(cases: readonly (ConformanceCase & { passed: boolean })[]): string {
  const held = cases.filter(({ outOfScope }) => outOfScope === undefined);
  const beyond = cases.length - held.length;
  const counts = held.length > 0 ? `${held.filter(({ passed }) => passed).length}/${held.length}` : '–';
  return beyond > 0 ? `${counts} (${beyond} out of scope)` : counts;
}
