// Checks what a run is fed against the model's inputs; symbolic dimensions must agree within a run.

import { LeptonError } from '../base/errors';
import type { ImageOptions } from '../base/image-geometry';
import type { TensorInfo } from '../base/model-info';
import { formatDims, sizeOf } from '../base/shape';
import type { WireFeed } from './protocol';

export interface CheckedFeed {
  readonly feed: WireFeed;
  readonly dims: readonly number[];
}

export interface CheckedFeeds {
  readonly feeds: ReadonlyMap<string, CheckedFeed>;
}

/** @throws INVALID_INPUT naming the input, what was expected and what was given */
export function checkFeeds(inputs: readonly TensorInfo[], feeds: Readonly<Record<string, WireFeed>>): CheckedFeeds {
  const names = inputs.map((i) => `"${i.name}"`).join(', ');
  for (const name of Object.keys(feeds)) {
    if (!inputs.some((i) => i.name === name)) {
      throw new LeptonError('INVALID_INPUT', `The model has no input "${name}"; its inputs are ${names}.`, {
        details: { name },
      });
    }
  }
  const checked = new Map<string, CheckedFeed>();
  const sizes = new Map<string, number>();
  for (const input of inputs) {
    const feed = feeds[input.name];
    if (!feed) {
      throw new LeptonError(
        'INVALID_INPUT',
        `Input "${input.name}" (${describe(input)}) is missing; the model needs ${names}.`,
        {
          details: { name: input.name },
        },
      );
    }
    const given = 'bitmap' in feed ? imageDims(input, feed.options) : feed.dims;
    // What feeds a scalar is often [1], and other runtimes take it.
    const dims = input.shape.length === 0 && sizeOf(given) === 1 ? [] : given;
    const type = 'bitmap' in feed ? input.type : feed.type;
    if (type !== input.type) {
      throw new LeptonError(
        'INVALID_INPUT',
        `Input "${input.name}" must be ${describe(input)}, but is ${type} ${formatDims(dims)}.`,
        {
          details: { name: input.name, expected: input.type, got: type },
        },
      );
    }
    bindSizes(input, dims, sizes);
    checked.set(input.name, { feed, dims });
  }
  return { feeds: checked };
}

/** Where a model cannot do with nothing, that shows in a node; the fault is that of the input with a size of 0. */
export function blameEmpty({ feeds }: CheckedFeeds): (error: unknown) => never {
  return (error) => {
    const empty = [...feeds].find(([, { dims }]) => dims.includes(0));
    if (!empty || !(error instanceof LeptonError) || error.code !== 'INVALID_MODEL') throw error;
    const [name, { dims }] = empty;
    throw new LeptonError(
      'INVALID_INPUT',
      `Input "${name}" is ${formatDims(dims)}, with which the model cannot be computed: ${error.message}`,
      { cause: error, details: { name, got: dims } },
    );
  };
}

function bindSizes(input: TensorInfo, dims: readonly number[], sizes: Map<string, number>): void {
  const fail = (why: string): never => {
    throw new LeptonError(
      'INVALID_INPUT',
      `Input "${input.name}" must be ${describe(input)}, but is ${formatDims(dims)}: ${why}.`,
      {
        details: { name: input.name, expected: input.shape, got: dims },
      },
    );
  };
  if (dims.length !== input.shape.length) fail(`it has ${dims.length} dimensions instead of ${input.shape.length}`);
  input.shape.forEach((expected, i) => {
    const got = dims[i] as number;
    if (typeof expected === 'number') {
      if (got !== expected) fail(`dimension ${i} is ${got} instead of ${expected}`);
      return;
    }
    const bound = sizes.get(expected);
    if (bound !== undefined && bound !== got)
      fail(`dimension ${i} ("${expected}") is ${got}, but ${bound} elsewhere in this run`);
    sizes.set(expected, got);
  });
}

/** Dimensions that a picture takes as this input: its size where it is given, else the model's. */
function imageDims(input: TensorInfo, options: ImageOptions): number[] {
  const fail = (why: string): never => {
    throw new LeptonError(
      'INVALID_INPUT',
      `Input "${input.name}" (${describe(input)}) cannot take a picture: ${why}.`,
      {
        details: { name: input.name },
      },
    );
  };
  if (input.type !== 'float32' && input.type !== 'float16')
    fail('only float32 and float16 inputs can; feed a Tensor instead');
  if (input.shape.length !== 4) fail('it must have four dimensions, [N, C, H, W] or [N, H, W, C]');
  const [row, column] = options.layout === 'NCHW' ? [2, 3] : [1, 2];
  const side = (axis: number, given: number | undefined): number => {
    const own = input.shape[axis];
    return (
      given ??
      (typeof own === 'number' ? own : fail(`the model leaves dimension ${axis} open; pass size: [height, width]`))
    );
  };
  const [height, width] = [side(row as number, options.size?.[0]), side(column as number, options.size?.[1])];
  const channels = options.channels === 'gray' ? 1 : 3;
  return options.layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels];
}

export function describe(info: TensorInfo): string {
  return `${info.type} ${formatDims(info.shape)}`;
}
