// Inputs and outputs of a step's graph that are not the model's own. The worker knows them too, without the compiler.

export const reportName = 'lepton:report';
export const learningRateName = 'lepton:learningRate';
export const seedName = 'lepton:seed';
export const sampleWeightName = 'lepton:sampleWeight';

/** What output `i` is compared with. */
export function targetName(i: number): string {
  return `lepton:target${i}`;
}
