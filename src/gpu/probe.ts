// What an adapter can do, measured from outside by kernels that do nothing else: arithmetic, copying, starting a
// dispatch. It takes some tens of milliseconds, compiling included.

import arithmetic from '../../shaders/probe-arithmetic.wgsl?raw';
import copy from '../../shaders/probe-copy.wgsl?raw';
import type { AdapterRates } from '../base/tuning';
import { packUniforms, shaderInterface, type UniformValue } from '../base/wgsl-interface';
import type { Plan } from '../plan/plan';
import type { Device } from './device';
import { Executable } from './executable';
import { Stopwatch } from './stopwatch';

interface Probe {
  readonly label: string;
  readonly wgsl: string;
  /** Bytes of the shader's storage buffers, in their order. */
  readonly buffers: readonly number[];
  readonly uniforms: Readonly<Record<string, UniformValue>>;
  readonly workgroups: number;
}

const vector = 16;
const operationsARound = 128;

/** @throws OUT_OF_MEMORY, GPU_ERROR */
export async function probe(device: Device): Promise<AdapterRates> {
  const { software } = device.profile;
  const stopwatch = new Stopwatch(device);
  const seconds = async (spec: Probe) => {
    const executable = await Executable.create(device, planOf(spec), noFiles);
    try {
      // A GPU that slept takes a while to reach its clock.
      let least = Number.POSITIVE_INFINITY;
      for (let i = 0; i < (software ? 1 : 3); i++) least = Math.min(least, await stopwatch.measure(executable));
      return least / 1e3;
    } finally {
      executable.dispose();
    }
  };
  try {
    const rounds = 64;
    const workgroups = software ? 64 : 4096;
    const invocations = 64 * workgroups;
    const arithmeticTime = await seconds({
      label: 'Probe.arithmetic',
      wgsl: arithmetic,
      buffers: [vector * invocations],
      uniforms: { rounds, factor: 0.999, summand: 0.001 },
      workgroups,
    });
    // More than caches hold; a CPU's are small, and its memory slow.
    const bytes = software ? 8 << 20 : 64 << 20;
    const copyTime = await seconds(copying(bytes, software ? 64 : 4096));
    const dispatchTime = await seconds(copying(vector, 1));
    return {
      flops: (rounds * operationsARound * invocations) / arithmeticTime,
      bandwidth: (2 * bytes) / copyTime,
      dispatch: dispatchTime,
    };
  } finally {
    stopwatch.dispose();
  }
}

function copying(bytes: number, workgroups: number): Probe {
  const uniforms = { count: bytes / vector, grid: 256 * workgroups };
  return { label: 'Probe.copy', wgsl: copy, buffers: [bytes, bytes], uniforms, workgroups };
}

function planOf({ label, wgsl, buffers, uniforms, workgroups }: Probe): Plan {
  const shader = shaderInterface(wgsl);
  const packed = packUniforms(shader, uniforms);
  const bindings = shader.bindings.map(({ binding, access }) => ({ binding, access }));
  return {
    name: label,
    buffers: buffers.map((bytes, i) => ({ role: 'slot', bytes, label: `${i}` })),
    pipelines: [{ label, wgsl, constants: {}, bindings }],
    uniforms: packed,
    uploads: [],
    init: [],
    steps: [
      {
        kind: 'dispatch',
        pipeline: 0,
        buffers: buffers.map((_, i) => i),
        uniform: { offset: 0, bytes: packed.byteLength },
        workgroups: [workgroups, 1, 1],
        node: 0,
      },
    ],
    inputs: [],
    variables: [],
    outputs: [],
    nodes: [],
    memory: { weightBytes: 0, slotBytes: buffers.reduce((a, b) => a + b, 0), peakLiveBytes: 0 },
  };
}

function noFiles(): never {
  throw new Error('A probe reads no files.');
}
