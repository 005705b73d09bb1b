// The command reads and writes files, and tells mistakes in one line.

import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { dataPath, describeWithData } from '../../e2e/support/data';
import { MemorySource } from '../../e2e/support/memory-source';
import { makeModel } from '../../e2e/support/onnx-writer';
import { readOnnx } from '../read/onnx';
import { compressCommand } from './compress';
import { readNpz } from './npz';

const folder = mkdtempSync(join(tmpdir(), 'lepton-compress-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

/** A ZIP archive as Python's writes it, its checksums aside, which nobody looks at. */
function zip(files: Readonly<Record<string, Uint8Array>>, deflate: boolean): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, bytes] of Object.entries(files)) {
    const packed = deflate ? deflateRawSync(bytes) : Buffer.from(bytes);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(4, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(deflate ? 8 : 0, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local, Buffer.from(name), Buffer.alloc(4), packed);
    offset += 34 + name.length + packed.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Object.keys(files).length, 10);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

function npy(descr: string, shape: readonly number[], data: ArrayBufferView, order = 'False'): Uint8Array {
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': (${shape.map((d) => `${d},`).join(' ')}), }\n`;
  const head = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, text.length & 255, text.length >> 8]);
  return Buffer.concat([head, Buffer.from(text), Buffer.from(data.buffer, data.byteOffset, data.byteLength)]);
}

const x = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i));
const archive = (deflate: boolean) =>
  zip({ 'x.npy': npy('<f4', [4, 10], x), 'labels.npy': npy('<i8', [4], BigInt64Array.of(0n, 1n, 2n, 3n)) }, deflate);

describe('readNpz', () => {
  test.each([true, false])('deflated: %s', async (deflate) => {
    const arrays = await readNpz(archive(deflate));
    expect(arrays.get('x')).toEqual({ dtype: 'float32', dims: [4, 10], data: x });
    expect(Array.from(arrays.get('labels')?.data ?? [])).toEqual([0, 1, 2, 3]);
  });

  test('names what it cannot read', async () => {
    const problem = (bytes: Uint8Array) => readNpz(bytes).catch((error: Error) => error.message);
    expect(await problem(new Uint8Array(100))).toMatch(/no ZIP archive/);
    expect(await problem(zip({ 'x.npy': npy('<U4', [1], x) }, false))).toMatch(/"x" has elements of type "<U4"/);
    expect(await problem(zip({ 'x.npy': npy('<f4', [4, 10], x, 'True') }, false))).toMatch(/not in C order/);
    expect(await problem(zip({ 'x.npy': npy('constructor', [1], x) }, false))).toMatch(
      /elements of type "constructor"/,
    );
    for (const shape of [[-4, -10], [1.5, 8], [2 ** 60]]) {
      expect(await problem(zip({ 'x.npy': npy('<f4', shape, x) }, false))).toMatch(/"x" has the impossible shape/);
    }
    expect(await problem(zip({ 'x.npy': npy('<f4', [3], x) }, false))).toMatch(/"x": A float32 tensor of shape \[3\]/);
    const whole = archive(true);
    for (let length = 0; length < whole.length; length += 7) await problem(whole.subarray(0, length));
  });
});

describeWithData('a file of NumPy’s', () => {
  test('is read', async () => {
    const arrays = await readNpz(readFileSync(dataPath('models', 'mnist-onnxzoo', 'test_data_0.npz')));
    expect(arrays.get('inputs')?.dims).toEqual([1, 784]);
  });
});

describe('lepton compress', () => {
  const model = makeModel({
    nodes: [{ op: 'MatMul', name: 'product', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: ['n', 10] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: ['n', 60] }],
    initializers: [
      { name: 'w', dtype: 'float32', dims: [10, 60], data: Array.from({ length: 600 }, (_, i) => Math.cos(i * i)) },
    ],
  });
  writeFileSync(at('in.onnx'), model);
  const silent = { print: () => {}, progress: () => {} };
  writeFileSync(at('data.npz'), archive(true));

  async function run(...args: string[]): Promise<string[]> {
    const lines: string[] = [];
    await compressCommand([at('in.onnx'), at('out.onnx'), ...args], {
      print: (line) => lines.push(line),
      progress: () => {},
    });
    return lines;
  }

  test('prunes, quantises, calibrates, reports', async () => {
    const calibrate = ['--calibrate', at('data.npz'), '--engine', 'cpu', '--report', at('report.html')];
    const lines = await run('--prune', '0.9', '--quantize', 'int8', ...calibrate);
    expect(lines.join('\n')).toMatch(/product: .*sparse, 90.00 % zeros/);
    expect(lines.join('\n')).toMatch(/error of y: .*4 samples\naccuracy .*\ntime .* \(CPU reference\)/);
    const written = new Uint8Array(readFileSync(at('out.onnx')));
    expect(written.length).toBeLessThan(model.length / 3);
    expect((await readOnnx(new MemorySource(written))).graph.outputs).toEqual(['y']);
    expect(readFileSync(at('report.html'), 'utf8')).toContain('in.onnx');
    await run('--structure', '2:4', '--report', at('report.json'));
    const report = JSON.parse(readFileSync(at('report.json'), 'utf8'));
    expect(report.layers[0].after.nonZeros).toBe(60 * 6);
    const { before, after } = report.layers[0];
    expect(report.weights).toEqual({
      elements: 600,
      nonZeros: { before: before.nonZeros, after: 360 },
      bytes: { before: 2400, after: after.bytes },
    });
  });

  test('shares by name', async () => {
    expect((await run('--prune', 'product=0.5'))[0]).toMatch(/product: .*50.00 % zeros/);
    expect((await run('--prune', 'w=0.25', '--prune', 'product=0.5'))[0]).toMatch(/product: .*50.00 % zeros/);
  });

  test('tells mistakes', async () => {
    const problem = (...args: string[]) => run(...args).catch((error: Error) => error.message);
    expect(await problem('--prune', 'much')).toBe('lepton compress: --prune must be a number, but is "much".');
    expect(await problem('--prune', 'product=0.5', '--prune', '0.5')).toMatch(/a share, or NAME=SHARE each time/);
    expect(await problem('--prune', '0.5', '--prune', '0.6')).toMatch(/takes one share for all layers/);
    expect(await problem('--prune', 'product=much')).toMatch(/--prune product must be a number, but is "much"/);
    expect(await problem('--prune', 'dense=0.5')).toMatch(/no layer "dense"; there are "product"/);
    expect(await problem('--prune', '0.5', '--skip', '/(/')).toMatch(
      /^lepton compress: --skip \/\(\/ is no pattern: .*\.$/,
    );
    expect(await problem('--prune', '0.5', '--asymmetric')).toMatch(/--asymmetric needs --quantize int4/);
    expect(await problem('--quantize', 'int8', '--block-size', '64')).toMatch(/--block-size needs --quantize int4/);
    expect(await problem('--prun', '0.5')).toMatch(/^lepton compress: Unknown option '--prun'/);
    expect(await problem('more.onnx', '--prune', '0.5')).toMatch(/give two files/);
    expect(await problem('--prune', '0.5', '--engine', 'tpu')).toMatch(/--engine must be auto, webgpu, cpu/);
    expect(await problem('--prune', '0.5', '--report', 'r.pdf')).toMatch(/must end in .html or .json/);
    expect(await problem('--prune', '0.5', '--calibrate', at('none.npz'))).toMatch(/none.npz/);
    symlinkSync(at('in.onnx'), at('same.json'));
    expect(await problem('--prune', '0.5', '--report', at('same.json'))).toMatch(
      /same.json is read and would be overwritten/,
    );
    const inPlace = compressCommand([at('in.onnx'), at('in.onnx'), '--prune', '0.5'], silent);
    await expect(inPlace).rejects.toThrow(/in.onnx is read and would be overwritten; give another name/);
    const one = compressCommand([at('in.onnx'), at('a.html'), '--prune', '0.5', '--report', at('a.html')], silent);
    await expect(one).rejects.toThrow(/cannot be both the model and the report/);
    expect(new Uint8Array(readFileSync(at('in.onnx')))).toEqual(model);
    expect(await problem('--quantize', 'int4', '--block-size', '48')).toMatch(/quantize.blockSize must be 32, 64, 128/);
  });
});
