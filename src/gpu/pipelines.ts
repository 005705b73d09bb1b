// Compiles a plan's pipelines, all at once: browsers compile asynchronous ones in parallel. A device keeps
// what it has compiled, so that models and input shapes with the same kernels compile them once.

import { LeptonError } from '../base/errors';
import type { PlanPipeline, PlanStep } from '../plan/plan';

const compiled = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>();

/**
 * Compiles those of a plan's pipelines that the steps need.
 * @throws GPU_ERROR naming the pipeline and the compiler's message
 */
export function compilePipelines(
  device: GPUDevice,
  pipelines: readonly PlanPipeline[],
  steps: readonly PlanStep[],
  onProgress?: (done: number, total: number) => void,
): Promise<(GPUComputePipeline | undefined)[]> {
  const needed = new Set(steps.flatMap((step) => (step.kind === 'dispatch' ? [step.pipeline] : [])));
  let known = compiled.get(device);
  if (!known) {
    known = new Map();
    compiled.set(device, known);
  }
  const cache = known;
  let done = 0;
  return Promise.all(
    pipelines.map(async (spec, i) => {
      if (!needed.has(i)) return undefined;
      const key = JSON.stringify([spec.constants, spec.bindings, spec.wgsl]);
      let pipeline = cache.get(key);
      if (!pipeline) {
        pipeline = compile(device, spec);
        cache.set(key, pipeline);
        // What failed may have failed with its device; it is no answer for the next who asks.
        pipeline.catch(() => cache.delete(key));
      }
      const ready = await pipeline;
      onProgress?.(++done, needed.size);
      return ready;
    }),
  );
}

async function compile(device: GPUDevice, spec: PlanPipeline): Promise<GPUComputePipeline> {
  const { label, wgsl, constants, bindings } = spec;
  const entries = bindings.map(
    ({ binding, access }): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type: access === 'uniform' ? 'uniform' : access === 'read' ? 'read-only-storage' : 'storage' },
    }),
  );
  const bindGroupLayouts = [device.createBindGroupLayout({ label, entries })];
  const layout = device.createPipelineLayout({ label, bindGroupLayouts });
  const module = device.createShaderModule({ label, code: wgsl });
  try {
    const compute = { module, entryPoint: 'main', constants: { ...constants } };
    return await device.createComputePipelineAsync({ label, layout, compute });
  } catch (cause) {
    const { messages } = await module.getCompilationInfo();
    const worst = messages.find((m) => m.type === 'error');
    const where = worst ? ` (line ${worst.lineNum}: ${worst.message})` : '';
    const message = `Shader ${label} does not compile on this GPU: ${(cause as Error).message}${where}`;
    throw new LeptonError('GPU_ERROR', message, { cause, details: { shader: label } });
  }
}
