// The Node device computes: a shader doubles numbers.

import { expect, test } from 'vitest';
import { describeDawn } from './dawn';

describeDawn('Dawn in Node', (dawn) => {
  test('runs a compute shader', async () => {
    const device = await dawn.device();
    const code = `
      @group(0) @binding(0) var<storage, read_write> x : array<f32>;
      @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id : vec3u) { x[id.x] *= 2.0; }`;
    const compute = { module: device.createShaderModule({ code }) };
    const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
    const size = 16;
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const buffer = device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
    const staging = device.createBuffer({ size, usage: COPY_DST | MAP_READ });
    device.queue.writeBuffer(buffer, 0, new Float32Array([1, 2, 3, 4]));
    const bindGroup = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer } }],
    });
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(1);
    pass.end();
    encoder.copyBufferToBuffer(buffer, 0, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    expect([...new Float32Array(staging.getMappedRange())]).toEqual([2, 4, 6, 8]);
  });
});
