// `lepton compress in.onnx out.onnx …`: reads files, compresses, writes files, and prints what came of it.

import { readFile, realpath, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { LeptonError } from '../base/errors';
import { memorySource } from '../base/memory-source';
import type { Compressed } from '../compress/compress';
import { reportHtml } from '../compress/html';
import { compressModel } from '../compress/model';
import type {
  CalibrationArrays,
  CompressOptions,
  CompressProgress,
  PruneOptions,
  QuantizeOptions,
} from '../compress/types';
import { readOnnx } from '../read/onnx';
import { readNpz } from './npz';
import { type EngineName, engines, openRunner } from './runner';

export const compressHelp = `lepton compress IN.onnx OUT.onnx [options]

  --prune SHARE           weights that become zero, such as 0.9
  --prune NAME=SHARE      those of one layer, by the name of its node or weight; may be given again, and others stay
  --structure KIND        unstructured (default), balanced, 1x4, 4x1, 4x4 (outputs x inputs), or N:M such as 2:4
  --criterion WHICH       magnitude (default), or sensitivity: what the loss on labelled data hardly depends on
  --scope SCOPE           global (default): the share is of all weights; layer: of each layer's
  --quantize TYPE         int8, int4, dynamic-int8 or float16
  --block-size N          inputs that share a scale in int4: 32 (default), 64 or 128
  --asymmetric            a zero point for each block of int4
  --skip NAME             a layer that stays: a node, a weight, /pattern/, first or last; may be given again
  --calibrate DATA.npz    arrays by the names of the inputs, samples along the first axis; "labels": the classes
  --output NAME           the output that the labels are of; default the first
  --report FILE           .html for people, .json for programs
  --engine ENGINE         what runs the calibration: auto (default), webgpu (npm install webgpu) or cpu
`;

const optionTypes = {
  prune: { type: 'string', multiple: true },
  structure: { type: 'string' },
  scope: { type: 'string' },
  criterion: { type: 'string' },
  quantize: { type: 'string' },
  'block-size': { type: 'string' },
  asymmetric: { type: 'boolean' },
  skip: { type: 'string', multiple: true },
  calibrate: { type: 'string' },
  output: { type: 'string' },
  report: { type: 'string' },
  engine: { type: 'string', default: 'auto' },
} as const satisfies ParseArgsConfig['options'];

type Values = ReturnType<typeof parse>['values'];

export interface Terminal {
  /** A line for good. */
  print(line: string): void;
  /** Takes the place of the last progress. */
  progress(line: string): void;
}

/** @throws LeptonError; Error of node:fs with the file's name */
export async function compressCommand(args: readonly string[], terminal: Terminal): Promise<void> {
  const { values, positionals } = parse(args);
  const [input, output, ...more] = positionals;
  if (!input || !output || more.length > 0) refuse('give two files, IN.onnx and OUT.onnx');
  if (!engines.includes(values.engine as EngineName)) refuse(`--engine must be ${engines.join(', ')}`);
  if (values.report && !/\.(html|json)$/.test(values.report)) refuse('--report must end in .html or .json');
  const options = optionsOf(values);
  const model = new Uint8Array(await readFile(input));
  const { files, graph } = await readOnnx(memorySource(model));
  const beside = (name: string) => join(dirname(input), name);
  await keepSources(
    [output, values.report],
    [input, ...files.map(beside), ...(values.calibrate ? [values.calibrate] : [])],
  );
  const external = files.map(async (name) => [name, new Uint8Array(await readFile(beside(name)))] as const);
  const externalData = Object.fromEntries(await Promise.all(external));
  const data = values.calibrate && (await calibrationOf(values.calibrate, graph.inputs, values.output));
  const runner = data ? await openRunner(values.engine as EngineName) : undefined;
  let compressed: Compressed;
  try {
    compressed = await compressModel(model, {
      ...{ options, externalData },
      onProgress: (progress) => terminal.progress(progressLine(progress)),
      ...(data && runner && { calibration: { data, runner } }),
    });
  } finally {
    await runner?.close();
  }
  await writeFile(output, compressed.bytes);
  if (values.report) {
    const { report } = compressed;
    const isJson = values.report.endsWith('.json');
    await writeFile(
      values.report,
      isJson ? `${JSON.stringify(report, null, 2)}\n` : reportHtml(report, basename(input)),
    );
  }
  for (const line of summary(compressed)) terminal.print(line);
}

/** What is written must take the place of nothing that is read, and of no other file that is written. */
async function keepSources([output, report]: [string, string | undefined], sources: readonly string[]): Promise<void> {
  if (report && resolve(report) === resolve(output)) refuse(`${report} cannot be both the model and the report`);
  // A file that is not there yet is nobody's; one that cannot be read says so when it is.
  const fileAt = (path: string) => realpath(path).catch(() => undefined);
  const read = new Set(await Promise.all(sources.map(fileAt)));
  for (const path of report ? [output, report] : [output]) {
    const file = await fileAt(path);
    if (file && read.has(file)) refuse(`${path} is read and would be overwritten; give another name`);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: optionTypes, allowPositionals: true });
  } catch (cause) {
    return refuse((cause as Error).message.replace(/\.$/, ''));
  }
}

function optionsOf(values: Values): CompressOptions {
  const { prune, structure, scope, criterion, quantize, asymmetric, skip = [] } = values;
  const size = values['block-size'];
  if ((size !== undefined || asymmetric) && quantize !== 'int4') {
    refuse(`${size === undefined ? '--asymmetric' : '--block-size'} needs --quantize int4`);
  }
  const pruning = {
    ...(prune !== undefined && { sparsity: sharesOf(prune) }),
    ...(structure !== undefined && { structure }),
    ...(scope !== undefined && { scope }),
    ...(criterion !== undefined && { criterion }),
  } as PruneOptions;
  const quantizing = {
    ...(quantize !== undefined && { type: quantize }),
    ...(size !== undefined && { blockSize: numeric('block-size', size) }),
    ...(asymmetric && { symmetric: false }),
  } as QuantizeOptions;
  return {
    ...(Object.keys(pruning).length > 0 && { prune: pruning }),
    ...(Object.keys(quantizing).length > 0 && { quantize: quantizing }),
    skip: skip.map(patternOf),
  };
}

function numeric(name: string, text: string): number {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value) ? value : refuse(`--${name} must be a number, but is "${text}"`);
}

/** A share, or shares by name. */
function sharesOf(texts: readonly string[]): NonNullable<PruneOptions['sparsity']> {
  // Names may have an equals sign themselves.
  const split = texts.map((text) => text.lastIndexOf('='));
  if (split.every((at) => at < 0)) {
    return texts.length === 1 ? numeric('prune', texts[0] as string) : refuse('--prune takes one share for all layers');
  }
  if (split.some((at) => at < 1)) refuse('--prune takes a share, or NAME=SHARE each time');
  return Object.fromEntries(
    texts.map((text, i) => {
      const name = text.slice(0, split[i]);
      return [name, numeric(`prune ${name}`, text.slice((split[i] as number) + 1))];
    }),
  );
}

function patternOf(text: string): string | RegExp {
  if (!/^\/.+\/$/.test(text)) return text;
  try {
    return new RegExp(text.slice(1, -1));
  } catch (cause) {
    return refuse(`--skip ${text} is no pattern: ${(cause as Error).message}`);
  }
}

/** An array alone, whatever its name, is for a model's only input. */
async function calibrationOf(
  path: string,
  inputs: readonly string[],
  output: string | undefined,
): Promise<CalibrationArrays> {
  const arrays = await readNpz(new Uint8Array(await readFile(path)));
  const labels = arrays.get('labels')?.data;
  if (!inputs.includes('labels')) arrays.delete('labels');
  const [only, ...more] = arrays.values();
  const alone = only && more.length === 0 && inputs.length === 1;
  return {
    inputs: alone ? { [inputs[0] as string]: only } : Object.fromEntries(arrays),
    ...(labels && { labels }),
    ...(output !== undefined && { output }),
  };
}

function progressLine({ stage, loaded, total }: CompressProgress): string {
  return total === undefined ? stage : `${stage} ${loaded} of ${total}`;
}

function summary({ report }: Compressed): string[] {
  const { bytes, layers, calibration } = report;
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const kilobytes = (count: number) => `${(count / 1000).toFixed(1)} KB`;
  const rows = layers.map(({ name, after, elements, weightError, left, note }) => {
    const zeros = percent(1 - after.nonZeros / elements);
    const became = `${after.form}, ${zeros} zeros, error ${percent(weightError)}${note ? ` (${note})` : ''}`;
    return `  ${name}: ${left ? `as it was (${left})` : became}`;
  });
  const share = percent(bytes.after / bytes.before);
  const lines = [...rows, `${kilobytes(bytes.before)} → ${kilobytes(bytes.after)} (${share})`];
  if (!calibration) return lines;
  const { accuracy, outputErrors, nonFinite = {}, samples, time } = calibration;
  for (const [name, error] of Object.entries(outputErrors))
    lines.push(`error of ${name}: ${percent(error)}, ${samples} samples`);
  for (const [name, count] of Object.entries(nonFinite))
    lines.push(`error of ${name}: ${count} of its numbers not finite, ${samples} samples`);
  if (accuracy) lines.push(`accuracy ${percent(accuracy.before)} → ${percent(accuracy.after)}`);
  lines.push(`time ${time.before.toPrecision(3)} → ${time.after.toPrecision(3)} ms a run (${time.device})`);
  return lines;
}

function refuse(problem: string): never {
  throw new LeptonError('INVALID_ARGUMENT', `lepton compress: ${problem}.`);
}
