// jax-js on WebGPU in its page: its own ONNX loader under jit. Arrays are moved into what uses them; `ref`
// keeps one for later.

import { jit, numpy as np } from '@jax-js/jax';
import { ONNXModel } from '@jax-js/onnx';
import { withKnownOperators } from './jax-operators';
import { start } from './jax-start';
import { serve } from './page';
import type { Feed } from './runtime';
import { elementsOf } from './typed-arrays';

type Arrays = Record<string, np.Array>;

serve({
  start: () => start().then(() => ''),
  async open({ model: url, resident }, feeds) {
    const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
    await start();
    const model = new ONNXModel(bytes);
    withKnownOperators(model.model);
    const forward = jit((inputs: Arrays): Arrays => model.run(inputs));
    const held = resident ? arraysOf(feeds) : undefined;
    const inputs = () => (held ? mapValues(held, (array) => array.ref) : arraysOf(feeds));
    return {
      async outputs() {
        const answers = Object.entries(forward(inputs()));
        const read = answers.map(async ([name, array]) => {
          const dims = array.shape;
          return [name, { dims, data: await array.data() }] as const;
        });
        return Object.fromEntries(await Promise.all(read));
      },
      async run() {
        const answers = forward(inputs());
        const wanted = Object.entries(answers).filter(([name]) => !resident || name === 'probe');
        for (const [name, array] of Object.entries(answers)) if (resident && name !== 'probe') array.dispose();
        await Promise.all(wanted.map(([, array]) => array.data()));
      },
      dispose() {
        forward.dispose();
        for (const array of Object.values(held ?? {})) array.dispose();
        model.dispose();
      },
    };
  },
});

function arraysOf(feeds: readonly Feed[]): Arrays {
  return Object.fromEntries(feeds.map((feed) => [feed.name, arrayOf(feed)]));
}

function arrayOf({ dtype, dims, bytes }: Feed): np.Array {
  const shape = [...dims];
  const data = elementsOf(dtype, bytes);
  // It has no integers of 64 bits: its loader takes them as int32.
  if (dtype === 'int64') return np.array(Int32Array.from(data, Number), { shape, dtype: np.int32 });
  if (dtype === 'float16') return np.array(data, { shape, dtype: np.float16 });
  if (dtype !== 'float32') throw new Error(`This page feeds no ${dtype} to jax-js.`);
  return np.array(data, { shape, dtype: np.float32 });
}

function mapValues(arrays: Arrays, fn: (array: np.Array) => np.Array): Arrays {
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, fn(array)]));
}
