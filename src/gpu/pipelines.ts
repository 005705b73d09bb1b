// Compiles all of a plan's pipelines at once: browsers compile asynchronous ones in parallel.

import { LeptonError } from '../base/errors';
import type { Plan } from '../plan/plan';

/** @throws GPU_ERROR naming the pipeline and the compiler's message */
export async function compilePipelines(
  device: GPUDevice,
  plan: Plan,
  onProgress?: (done: number, total: number) => void,
): Promise<GPUComputePipeline[]> {
  const modules = new Map<string, GPUShaderModule>();
  const layouts = new Map<string, GPUPipelineLayout>();
  let done = 0;
  return Promise.all(
    plan.pipelines.map(async ({ label, wgsl, constants, bindings }) => {
      let module = modules.get(wgsl);
      if (!module) {
        module = device.createShaderModule({ label, code: wgsl });
        modules.set(wgsl, module);
      }
      const signature = JSON.stringify(bindings);
      let layout = layouts.get(signature);
      if (!layout) {
        const entries = bindings.map(
          ({ binding, access }): GPUBindGroupLayoutEntry => ({
            binding,
            visibility: GPUShaderStage.COMPUTE,
            buffer: { type: access === 'uniform' ? 'uniform' : access === 'read' ? 'read-only-storage' : 'storage' },
          }),
        );
        layout = device.createPipelineLayout({
          label,
          bindGroupLayouts: [device.createBindGroupLayout({ label, entries })],
        });
        layouts.set(signature, layout);
      }
      try {
        const pipeline = await device.createComputePipelineAsync({
          label,
          layout,
          compute: { module, entryPoint: 'main', constants: { ...constants } },
        });
        onProgress?.(++done, plan.pipelines.length);
        return pipeline;
      } catch (cause) {
        const { messages } = await module.getCompilationInfo();
        const worst = messages.find((m) => m.type === 'error');
        const where = worst ? ` (line ${worst.lineNum}: ${worst.message})` : '';
        throw new LeptonError(
          'GPU_ERROR',
          `Shader ${label} does not compile on this GPU: ${(cause as Error).message}${where}`,
          {
            cause,
            details: { shader: label },
          },
        );
      }
    }),
  );
}
