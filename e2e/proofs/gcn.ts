// What is a paper about? The graph convolution network learns it from the subjects of 140 papers of Cora, in the standard
// split, and is measured on 1,000 others. Words and citations stay sparse, and all papers are one batch: weights say which of
// them count.

import type { Callback } from '../../src/api/nn/callbacks';
import { type Cora, coraBatch, coraCompile, coraNetwork, coraOf } from './cora';
import { coraFiles } from './cora-files';
import { type Context, type Measured, type Proof, progress } from './proof';

/** One that learns as fast as most do: the first takes twice the epochs to 77 %. */
const usualSeed = 2;

export const gcn: Proof = {
  about: 'a graph convolution network on Cora, sparse words and citations, the standard split',
  claims: { small: { accuracy: { atLeast: 0.7 } }, full: { accuracy: { atLeast: 0.8 } } },
  takesSeeds: true,
  async run(context) {
    const cora = coraOf(coraFiles());
    const seeds = context.seeds === undefined ? [usualSeed] : Array.from({ length: context.seeds }, (_, i) => i + 1);
    const runs: Measured[] = [];
    for (const seed of seeds) {
      const measured = await learn(cora, seed, context);
      context.log(`seed ${seed}: accuracy ${measured.accuracy?.toFixed(3)}`);
      runs.push(measured);
    }
    const all = (name: string) => runs.map((run) => run[name] as number);
    const mean = (name: string) => all(name).reduce((sum, value) => sum + value, 0) / runs.length;
    return {
      ...Object.fromEntries(Object.keys(runs[0] as Measured).map((name) => [name, mean(name)])),
      ...(runs.length > 1 && { lowest: Math.min(...all('accuracy')), highest: Math.max(...all('accuracy')) }),
    };
  },
};

async function learn(cora: Cora, seed: number, { training, full, log }: Context): Promise<Measured> {
  const network = await training.build(coraNetwork(cora), seed);
  network.compile(coraCompile);
  const epochs = full ? 200 : 60;
  const lines = progress(log);
  const onEpochEnd: Callback['onEpochEnd'] = (epoch, logs, trained) =>
    (epoch + 1) % 20 === 0 ? lines.onEpochEnd?.(epoch, logs, trained) : undefined;
  const began = performance.now();
  await network.fit(coraBatch(cora, cora.train), { epochs, callbacks: [{ onEpochEnd }] });
  const millisecondsPerEpoch = (performance.now() - began) / epochs;
  const { accuracy: validationAccuracy } = await network.evaluate(coraBatch(cora, cora.val));
  const { accuracy } = await network.evaluate(coraBatch(cora, cora.test));
  await network.dispose();
  return { accuracy: accuracy as number, validationAccuracy: validationAccuracy as number, millisecondsPerEpoch };
}
