// Bytes that are no model, or a damaged one: each a LeptonError that says where and what; never a hang, a
// stray exception, or an allocation that the file's size does not justify.

import { readFileSync } from 'node:fs';
import { PbfWriter } from 'pbf';
import { describe, expect, test } from 'vitest';
import { dataPath, describeWithData } from '../../e2e/support/data';
import { MemorySource } from '../../e2e/support/memory-source';
import { makeModel, type TensorSpec } from '../../e2e/support/onnx-writer';
import { LeptonError } from '../base/errors';
import { type ModelFile, readOnnx } from './onnx';

/** The model, or the LeptonError that refused it; anything else thrown fails the test. */
async function outcome(bytes: Uint8Array, sized = true): Promise<ModelFile | LeptonError> {
  return readOnnx(new MemorySource(bytes, sized)).catch((error) => {
    if (error instanceof LeptonError) return error;
    throw error;
  });
}

async function message(bytes: Uint8Array, sized = true): Promise<string> {
  const refused = await outcome(bytes, sized);
  if (!(refused instanceof LeptonError)) throw new Error('The model was read.');
  expect(refused.code).toBe('INVALID_MODEL');
  return refused.message;
}

/** A model with one initialiser "w" that a test damages. */
function withTensor(tensor: Partial<TensorSpec>): Uint8Array {
  return makeModel({
    nodes: [{ op: 'Add', inputs: ['x', 'w'], outputs: ['y'] }],
    inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
    outputs: [{ name: 'y', dtype: 'float32', shape: [2] }],
    initializers: [{ name: 'w', dtype: 'float32', dims: [2], ...tensor }],
  });
}

/** ModelProto.graph with the fields that `write` adds. */
function graphOf(write: (out: PbfWriter) => void): Uint8Array {
  const out = new PbfWriter();
  out.writeMessage(7, (_, graph) => write(graph), {});
  return new Uint8Array(out.finish());
}

const text = (s: string) => new TextEncoder().encode(s);

describe('files that are something else', () => {
  test.each([
    ['an empty file', new Uint8Array(), /empty/],
    ['a web page', text('\n<!DOCTYPE html><html><title>404</title>'), /a page.*starts with "<!DOCTYPE html>.*web page/],
    [
      'a Git LFS pointer',
      text('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1'),
      /Git LFS.*git lfs pull/,
    ],
    ['a JSON answer', text('{"error":"not found"}'), /JSON/],
    ['a zip archive', new Uint8Array([0x50, 0x4b, 3, 4, 0, 0]), /zip/],
    ['a gzip file', new Uint8Array([0x1f, 0x8b, 8, 0]), /gzip/],
    ['a safetensors file', text('\x40\0\0\0\0\0\0\0{"w":{}}'), /safetensors/],
    ['no graph', new Uint8Array([8, 7]), /no graph/],
  ])('%s', async (_, bytes, expected) => {
    expect(await message(bytes)).toMatch(expected);
  });

  test('random bytes', async () => {
    for (let seed = 1; seed <= 200; seed++) {
      const random = generator(seed);
      const bytes = Uint8Array.from({ length: 1 + (seed % 50) * 40 }, () => random() * 256);
      expect(await outcome(bytes, seed % 2 === 0)).toBeInstanceOf(LeptonError);
    }
  });
});

describe('damage is named with its place', () => {
  test('a length past the end of the file', async () => {
    const bytes = new Uint8Array([0x08, 0x08, 0x3a, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    expect(await message(bytes)).toMatch(/truncated.*byte 8, inside ModelProto.*4294967303/);
    expect(await message(bytes, false)).toMatch(/truncated/);
  });

  test('a length past the end of the message around it', async () => {
    const bytes = new Uint8Array([0x3a, 4, 0x0a, 100, 0, 0, ...new Array(200).fill(0)]);
    expect(await message(bytes)).toMatch(/Field 1 at byte 2.*byte 104.*GraphProto at byte 6/);
  });

  test('a weight that ends early, its length known or not', async () => {
    const bytes = withTensor({ dims: [5000], data: new Float32Array(5000) }).slice(0, 6000);
    expect(await message(bytes)).toMatch(/truncated/);
    expect(await message(bytes, false)).toMatch(/truncated/);
  });

  test('a number of eleven bytes, a field of no known kind, a wrong kind', async () => {
    expect(await message(new Uint8Array(20).fill(0xff))).toMatch(/at byte 0.*longer than 10 bytes/);
    expect(await message(new Uint8Array([0x08, 0x08, 0x07, 0, 0]))).toMatch(/At byte 2.*wire type 7/);
    expect(await message(new Uint8Array([0x38, 1, 0, 0]))).toMatch(
      /field graph at byte 1 has wire type 0 instead of 2/,
    );
  });

  test('messages nested without end', async () => {
    let inner = new Uint8Array();
    for (let i = 0; i < 100; i++) {
      const out = new PbfWriter();
      // GraphProto.node.attribute.g
      out.writeMessage(1, (g: Uint8Array, node) => node.writeMessage(5, (h, a) => a.writeBytesField(6, h), g), inner);
      inner = new Uint8Array(out.finish());
    }
    const out = new PbfWriter();
    out.writeBytesField(7, inner);
    expect(await message(new Uint8Array(out.finish()))).toMatch(/nested more than 64 deep/);
  });

  test.each([
    ['too few bytes', { dims: [3], data: [1, 2] }, /"w" \(float32 \[3\]\) needs 12 bytes, but its raw_data has 8/],
    [
      'too many elements',
      { dims: [1], dtype: 'int64', data: [1, 2], storage: 'typed' },
      /needs 1 elements, but its int64_data has 2/,
    ],
    ['no data', { dims: [3] }, /has no data/],
    ['a negative size', { dims: [-1, 2], data: [1, 2] }, /impossible shape \[-1, 2\]/],
    ['an absurd size', { dims: [2 ** 40, 2 ** 40], data: [1] }, /impossible shape/],
    ['no name', { name: '', data: [1, 2] }, /initialiser without a name/],
    ['an absurd external offset', { external: { location: 'a', offset: -1 } }, /offset "-1"/],
    ['external data of another length', { external: { location: 'a', length: 7 } }, /needs 8 bytes.*has 7/],
  ] as [string, Partial<TensorSpec>, RegExp][])('a tensor with %s', async (_, tensor, expected) => {
    expect(await message(withTensor(tensor))).toMatch(expected);
  });

  test('an element type that ONNX does not define', async () => {
    const bytes = graphOf((graph) =>
      graph.writeMessage(
        5,
        (_, t) => {
          t.writeVarintField(2, 99);
          t.writeStringField(8, 'odd');
        },
        {},
      ),
    );
    expect(await message(bytes)).toMatch(/Initialiser "odd" has the element type 99/);
  });

  test('two initialisers of one name', async () => {
    const w: TensorSpec = { name: 'w', dtype: 'float32', dims: [1], data: [1] };
    expect(await message(makeModel({ nodes: [], initializers: [w, w] }))).toMatch(/Initialiser "w" is defined twice/);
  });

  test('a node that reads what nothing provides, a value written twice, an output never computed', async () => {
    const node = (input: string, output: string) => ({ op: 'Relu', name: 'r', inputs: [input], outputs: [output] });
    const inputs = [{ name: 'x', dtype: 'float32', shape: [1] }] as const;
    const outputs = [{ name: 'y', dtype: 'float32', shape: [1] }] as const;
    expect(await message(makeModel({ nodes: [node('z', 'y')], inputs, outputs }))).toMatch(
      /Relu node "r" reads "z", which nothing provides/,
    );
    expect(await message(makeModel({ nodes: [node('x', 'y'), node('x', 'y')], inputs, outputs }))).toMatch(
      /"y" is written a second time/,
    );
    expect(await message(makeModel({ nodes: [node('x', 'q')], inputs, outputs }))).toMatch(
      /output "y" is never computed/,
    );
  });
});

describeWithData('a real model, damaged', () => {
  const model = () => new Uint8Array(readFileSync(dataPath('models', 'mnist-opt-wonnx', 'mnist-8.onnx')));

  test('cut at every 97th byte', async () => {
    const bytes = model();
    for (let length = 0; length < bytes.length; length += 97) {
      const results = [await outcome(bytes.subarray(0, length)), await outcome(bytes.subarray(0, length), false)];
      for (const result of results) expect(result).toBeInstanceOf(LeptonError);
    }
  });

  test('with bytes changed at random', async () => {
    const random = generator(42);
    const original = model();
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const bytes = original.slice();
      // Half of the changes near the front or the end, where the structure is.
      for (let i = 0; i <= round % 4; i++) {
        const near = Math.floor(random() * 1500);
        const at = [near, bytes.length - 1 - near, Math.floor(random() * bytes.length)][round % 3] as number;
        bytes[at] = random() * 256;
      }
      if ((await outcome(bytes, round % 2 === 0)) instanceof LeptonError) refused++;
    }
    expect(refused).toBeGreaterThan(50);
  });
});

/** Marsaglia's xorshift: numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed * 2654435761;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
