// What the worker of floor.ts does: answers with nothing, or with what is wrong.

import { mapForReading } from '../../../src/gpu/map';

const code = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main() { y[0] = 42.0; }
`;

async function run(): Promise<string | undefined> {
  const device = await (await navigator.gpu.requestAdapter())?.requestDevice();
  if (!device) return 'no adapter';
  const module = device.createShaderModule({ code });
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute: { module } });
  const y = device.createBuffer({ size: 4, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const staging = device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const entries = [{ binding: 0, resource: { buffer: y } }];
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(y, 0, staging, 0, 4);
  device.queue.submit([encoder.finish()]);
  const [answer] = new Float32Array(await mapForReading(device, staging));
  return answer === 42 ? undefined : `answered ${answer}`;
}

run().then(postMessage, (error) => postMessage(String(error)));
