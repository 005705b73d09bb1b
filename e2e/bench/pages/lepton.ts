// Lepton in its page: the built library, loaded by script tag as its users do.

import type * as Lepton from '../../../src/api';
import { serve } from './page';
import type { Runtime } from './runtime';
import { elementsOf } from './typed-arrays';

declare const lepton: typeof Lepton;

const runtime: Runtime = {
  // Need not be waited for: a load asked for meanwhile begins with what is there.
  async start() {
    void lepton.start();
    return '';
  },
  async open({ model: url, resident }, feeds, { cache }) {
    const model = await lepton.load(url, { cache });
    const tensors = feeds.map(({ dtype, dims, bytes }) => new lepton.Tensor(dtype, elementsOf(dtype, bytes), dims));
    const held = resident ? await Promise.all(tensors.map((tensor) => tensor.upload())) : tensors;
    const inputs = Object.fromEntries(feeds.map(({ name }, i) => [name, held[i] as Lepton.Tensor]));
    const { memory, adapter, timings } = model.report;
    let kernels: readonly string[] = [];
    return {
      async outputs() {
        const answers = await model.run(inputs);
        return Object.fromEntries(
          Object.entries(answers).map(([name, { type, dims, data }]) => [name, { dims, data: elementsOf(type, data) }]),
        );
      },
      async settled() {
        // A profile is made of the plan to go on with. Where kernels are measured in idle time, that takes a while.
        const { nodes } = await model.profile(inputs);
        kernels = nodes.map(({ op, kernel }) => `${op}: ${kernel}`);
        if (!adapter?.software) await new Promise((resolve) => setTimeout(resolve, 1000 + timings.total));
      },
      async run() {
        await model.run(inputs, resident ? { outputs: ['probe'] } : {});
      },
      async dispose() {
        for (const tensor of held) tensor.dispose();
        await model.dispose();
      },
      kernels: () => kernels,
      ...(memory && { memory }),
    };
  },
};

serve(runtime);
