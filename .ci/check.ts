// `npm run check`: types, format and lint, layers. Answers 0 when all of them hold; prints what does not.

import { checkLayers } from './check-layers';
import { captureTool, root } from './command';

export default async function check(): Promise<number> {
  const results = await Promise.all([
    named('types of the library', captureTool('tsc', ['--project', '.'])),
    named('types of tests and tools', captureTool('tsc', ['--project', 'e2e'])),
    named('format and lint', captureTool('biome', ['check', '--max-diagnostics=50', '.'])),
    named('layers', layers()),
  ]);
  for (const { name, status, output } of results) {
    console.log(`${status === 0 ? '✓' : '✗'} ${name}`);
    if (status !== 0) console.log(`${output}\n`);
  }
  return results.every(({ status }) => status === 0) ? 0 : 1;
}

interface Outcome {
  status: number;
  output: string;
}

async function named(name: string, outcome: Promise<Outcome>): Promise<Outcome & { name: string }> {
  return { name, ...(await outcome) };
}

async function layers(): Promise<Outcome> {
  const offences = checkLayers(root);
  return { status: offences.length === 0 ? 0 : 1, output: offences.join('\n') };
}
