// `npm run proofs -- NAME… [--full] [--seeds=N]`: trains on real data in Node, on Dawn, prints how it went and what was
// reached, and ends with status 1 where that is less than was claimed. Seeded: the same adapter gives the same numbers.

import { openDawn } from '../support/dawn';
import { NodeTraining } from './in-node';
import { proofs } from './list';
import { broken, type Proof } from './proof';

const usage = `Usage: npm run proofs -- NAME… [--full] [--seeds=N]\n${Object.entries(proofs)
  .map(([name, { about, takesSeeds }]) => `  ${name.padEnd(14)}${about}${takesSeeds ? '; takes --seeds' : ''}`)
  .join('\n')}`;

// Opened here: once a command runs, its runner loads no more modules.
const dawn = await openDawn();

export default async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith('--'));
  const options = args.filter((arg) => arg.startsWith('--'));
  const full = options.includes('--full');
  const [asked] = options.flatMap((option) => /^--seeds=([1-9]\d*)$/.exec(option)?.[1] ?? []);
  const isKnown = (name: string) => name in proofs && (asked === undefined || proofs[name]?.takesSeeds);
  const known = Number(full) + Number(asked !== undefined);
  if (names.length === 0 || !names.every(isKnown) || options.length !== known) {
    console.error(usage);
    return 2;
  }
  const training = new NodeTraining(dawn.gpu);
  let failures = 0;
  for (const name of names) {
    const { about, run, claims } = proofs[name] as Proof;
    console.log(`${name}: ${about}`);
    const began = performance.now();
    const measured = await run({ training, full, log: console.log, ...(asked && { seeds: Number(asked) }) });
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    const numbers = Object.entries(measured).map(([key, value]) => `${key} ${Number(value.toPrecision(5))}`);
    console.log(`${name}: ${numbers.join(', ')}; ${seconds} s`);
    const wrong = broken(full ? claims.full : claims.small, measured);
    for (const line of wrong) console.error(`${name}: ${line}`);
    failures += wrong.length;
  }
  dawn.close();
  return failures > 0 ? 1 : 0;
}
