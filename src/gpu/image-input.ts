// Pictures into input buffers: resized and normalised on the GPU, without a detour over the heap.

import imageShader from '../../shaders/image.wgsl?raw';
import { LeptonError } from '../base/errors';
import { type ImageOptions, imageGeometry } from '../base/image-geometry';
import { packUniforms, shaderInterface } from '../base/wgsl-interface';
import type { Device } from './device';

export interface ImageJob extends ImageOptions {
  readonly bitmap: ImageBitmap;
  readonly size: readonly [height: number, width: number];
}

export class ImageInput {
  private readonly pipelines = new Map<string, GPUComputePipeline>();

  constructor(private readonly device: Device) {}

  /** Encodes the conversion of a picture into `target`, which holds float32 or float16 elements. */
  encode(encoder: GPUCommandEncoder, job: ImageJob, target: GPUBuffer, dtype: 'float32' | 'float16'): void {
    const { handle } = this.device;
    const { bitmap } = job;
    const most = handle.limits.maxTextureDimension2D;
    if (bitmap.width > most || bitmap.height > most) {
      throw new LeptonError(
        'INVALID_INPUT',
        `The picture is ${bitmap.width} × ${bitmap.height} pixels; this GPU takes at most ${most} a side. Scale it down first.`,
      );
    }
    const texture = handle.createTexture({
      label: 'ImageInput.source',
      size: [bitmap.width, bitmap.height],
      format: 'rgba8unorm',
      usage: GPUTextureUsage.TEXTURE_BINDING | GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
    });
    handle.queue.copyExternalImageToTexture({ source: bitmap }, { texture }, [bitmap.width, bitmap.height]);
    const bytes = packUniforms(shaderInterface(imageShader), uniformsOf(job));
    const uniforms = handle.createBuffer({
      label: 'ImageInput.uniforms',
      size: bytes.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    handle.queue.writeBuffer(uniforms, 0, bytes);
    const pipeline = this.pipeline(dtype === 'float16' ? 'f16' : 'f32');
    const pass = encoder.beginComputePass({ label: 'ImageInput' });
    pass.setPipeline(pipeline);
    pass.setBindGroup(
      0,
      handle.createBindGroup({
        label: 'ImageInput.bindings',
        layout: pipeline.getBindGroupLayout(0),
        entries: [
          { binding: 0, resource: texture.createView() },
          { binding: 1, resource: { buffer: target } },
          { binding: 2, resource: { buffer: uniforms } },
        ],
      }),
    );
    pass.dispatchWorkgroups(Math.ceil(job.size[1] / 8), Math.ceil(job.size[0] / 8));
    pass.end();
    // Both must live until the caller has submitted; the queue then keeps them for as long as it needs.
    queueMicrotask(() => {
      void handle.queue.onSubmittedWorkDone().then(() => {
        texture.destroy();
        uniforms.destroy();
      });
    });
  }

  private pipeline(elem: 'f32' | 'f16'): GPUComputePipeline {
    let pipeline = this.pipelines.get(elem);
    if (!pipeline) {
      const code = `${elem === 'f16' ? 'enable f16;\n' : ''}alias elem = ${elem};\n${imageShader}`;
      const module = this.device.handle.createShaderModule({ label: `ImageInput.${elem}`, code });
      pipeline = this.device.handle.createComputePipeline({
        label: `ImageInput.${elem}`,
        layout: 'auto',
        compute: { module, entryPoint: 'main' },
      });
      this.pipelines.set(elem, pipeline);
    }
    return pipeline;
  }
}

function uniformsOf(job: ImageJob) {
  const g = imageGeometry(job.bitmap, job.size, job);
  const { scale, offset } = affine(job);
  return {
    width: g.width,
    height: g.height,
    channels: job.channels === 'gray' ? 1 : 3,
    planes: job.layout === 'NCHW' ? 1 : 0,
    swap: job.channels === 'BGR' ? 1 : 0,
    tapsX: g.tapsX,
    tapsY: g.tapsY,
    pad: job.pad,
    left: g.left,
    top: g.top,
    insideWidth: g.insideWidth,
    insideHeight: g.insideHeight,
    stepX: g.stepX,
    stepY: g.stepY,
    scale: [...scale, 0].slice(0, 4),
    offset: [...offset, 0].slice(0, 4),
  };
}

/** (pixel · scale − mean) / std as one multiplication and one addition a channel. */
function affine({ scale, mean, std }: Pick<ImageJob, 'scale' | 'mean' | 'std'>) {
  const of = (list: readonly number[], c: number) => list[c] ?? (list[0] as number);
  return {
    scale: [0, 1, 2].map((c) => scale / of(std, c)),
    offset: [0, 1, 2].map((c) => -of(mean, c) / of(std, c)),
  };
}
