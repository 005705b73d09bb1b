// What is left to do for a plan's weights: init steps and uploads, unless packed weights are at hand.

import { expect, test } from 'vitest';
import type { Plan, PlanStep } from '../plan/plan';
import { packedBy, packedFile, Weights } from './weights';

const step = (pipeline: number, ...buffers: number[]): PlanStep => ({
  ...{ kind: 'dispatch', pipeline, buffers, uniform: undefined, workgroups: [1, 1, 1], node: 0 },
});

/** Buffer 0 is read from a file and packed to 1; 2 is uploaded as it is; 3 is the output. */
const plan: Plan = {
  name: 'packing',
  buffers: [
    { role: 'init', bytes: 64, label: 'raw' },
    { role: 'weight', bytes: 128, label: 'packed' },
    { role: 'weight', bytes: 32, label: 'bias' },
    { role: 'output', bytes: 16, label: 'y' },
  ],
  pipelines: [
    {
      label: 'pack',
      wgsl: 'pack',
      constants: {},
      bindings: [
        { binding: 0, access: 'read' },
        { binding: 1, access: 'read_write' },
      ],
    },
  ],
  uniforms: new Uint8Array(),
  uploads: [0, 2].map((buffer) => ({
    ...{ buffer, tensor: `t${buffer}`, from: 'float32', to: 'float32' },
    source: { file: '', offset: 100 * buffer, length: 32 },
  })),
  init: [step(0, 0, 1)],
  steps: [],
  inputs: [],
  variables: [],
  outputs: [],
  nodes: [],
  memory: { weightBytes: 160, slotBytes: 0, peakLiveBytes: 0 },
};

test('without packed weights everything is made and uploaded', () => {
  const { missing, init, uploads } = new Weights().take(plan);
  expect([...missing].sort()).toEqual([0, 1, 2]);
  expect(init).toEqual(plan.init);
  expect(uploads).toEqual(plan.uploads);
});

test('what init steps make lies one behind the other in the file of packed weights', () => {
  expect(packedBy(plan, plan.init)).toEqual([{ buffer: 1, offset: 0, bytes: 128 }]);
  expect(packedBy(plan, [])).toEqual([]);
});

test('packed weights replace init steps, and what only those would have read', () => {
  const { missing, init, uploads } = new Weights().take(plan, [{ buffer: 1, offset: 64, bytes: 128 }]);
  expect([...missing].sort()).toEqual([1, 2]);
  expect(init).toEqual([]);
  expect(uploads.map(({ buffer, source }) => ({ buffer, source }))).toEqual([
    { buffer: 2, source: { file: '', offset: 200, length: 32 } },
    { buffer: 1, source: { file: packedFile, offset: 64, length: 128 } },
  ]);
});
