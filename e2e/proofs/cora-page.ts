// The page's side of the test of Cora: the network learns in this browser, and is measured on the test papers.

import { type CoraFiles, coraBatch, coraCompile, coraNetwork, coraOf } from './cora';

export async function learnCora(files: CoraFiles, { seed, epochs }: { seed: number; epochs: number }) {
  const cora = coraOf(files);
  const network = coraNetwork(cora);
  network.compile(coraCompile);
  await network.build({ seed });
  const { history } = await network.fit(coraBatch(cora, cora.train), { epochs });
  const { accuracy } = await network.evaluate(coraBatch(cora, cora.test));
  await network.dispose();
  return { losses: history.loss as number[], accuracy: accuracy as number };
}
