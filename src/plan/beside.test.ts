import { describe, expect, it } from 'vitest';
import { shaderInterface } from '../base/wgsl-interface';
import type { Dispatch } from '../ir/kernel';
import { mayReadBeside, settlePipelines } from './beside';
import type { PlanBuffer, PlanPipeline, PlanStep } from './plan';

const pipeline: PlanPipeline = {
  label: 'add',
  wgsl: `@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;`,
  constants: {},
  bindings: [
    { binding: 0, access: 'read' },
    { binding: 1, access: 'read' },
    { binding: 2, access: 'read_write' },
    { binding: 3, access: 'uniform' },
  ],
};
const arena = (bytes: number): PlanBuffer => ({ role: 'slot', bytes, label: 'arena' });
const stretch = (buffer: number, offset: number): PlanBuffer => ({
  role: 'slot',
  bytes: 256,
  label: 'stretch',
  within: { buffer, offset },
});
const input: PlanBuffer = { role: 'input', bytes: 256, label: 'input' };
const buffers = [arena(512), arena(256), stretch(0, 0), stretch(0, 256), stretch(1, 0), input];
const step = (...list: number[]): PlanStep & { kind: 'dispatch' } => ({
  kind: 'dispatch',
  pipeline: 0,
  buffers: list,
  uniform: undefined,
  workgroups: [1, 1, 1],
  node: 0,
});
const dispatch = (wgsl: string, more: Partial<Dispatch> = {}): Dispatch => ({
  label: '',
  wgsl,
  bindings: {},
  workgroups: [1, 1, 1],
  ...more,
});

describe('reading beside what is written', () => {
  it('declares writable what lies in the buffer that is written, and nothing else', () => {
    const { pipelines } = settlePipelines([step(2, 4, 3)], [pipeline], buffers);
    expect(pipelines.map((p) => p.bindings.map((b) => b.access))).toEqual([
      ['read_write', 'read', 'read_write', 'uniform'],
    ]);
    expect(pipelines[0]?.wgsl).toBe(pipeline.wgsl.replace('read> a', 'read_write> a'));
  });

  it('finds the declarations whatever space is in them', () => {
    const wgsl =
      '@group(0)@binding(0)var<storage,read>a:array<f32>;@group(0)@binding(2)var<storage,read_write>y:array<f32>;';
    const bindings = pipeline.bindings.filter((b) => b.binding % 2 === 0);
    const { pipelines } = settlePipelines([step(2, 3)], [{ ...pipeline, wgsl, bindings }], buffers);
    expect(shaderInterface(pipelines[0]?.wgsl ?? '').bindings.map((b) => b.access)).toEqual([
      'read_write',
      'read_write',
    ]);
  });

  it('leaves pipelines as they are where nothing is read beside what is written, and those out that no step has', () => {
    const { steps, pipelines } = settlePipelines(
      [{ ...step(5, 4, 3), pipeline: 1 }, step(5, 5, 5)],
      [pipeline, { ...pipeline, label: 'other' }, { ...pipeline, label: 'unused' }],
      buffers,
    );
    expect(pipelines.map((p) => p.label)).toEqual(['other', 'add']);
    expect(pipelines.every((p) => p.wgsl === pipeline.wgsl)).toBe(true);
    expect(steps.map((s) => (s as { pipeline: number }).pipeline)).toEqual([0, 1]);
  });

  it('has one form of a pipeline for all steps that can have it', () => {
    // The second reads another buffer; the third binds a stretch twice; the fourth reads no stretch.
    const { steps, pipelines } = settlePipelines(
      [step(2, 4, 3), step(4, 5, 3), step(2, 2, 4), step(5, 4, 3)],
      [pipeline],
      buffers,
    );
    expect(steps.map((s) => (s as { pipeline: number }).pipeline)).toEqual([0, 0, 1, 1]);
    expect(pipelines.map((p) => p.bindings[0]?.access)).toEqual(['read_write', 'read']);
  });

  it('is not for shaders that need uniform control flow, unless it never hangs on what they read', () => {
    expect(mayReadBeside(dispatch('y[i] = x[i];'))).toBe(true);
    for (const wgsl of ['workgroupBarrier();', 'let s = subgroupAdd(x[i]);', 'let q = quadSwapX(x[i]);']) {
      expect(mayReadBeside(dispatch(wgsl))).toBe(false);
      expect(mayReadBeside(dispatch(wgsl, { uniformFlow: true }))).toBe(true);
    }
  });
});
