// The page's side of the test of mixed precision through every layer: a step on this browser's GPU against the same on the
// host, whose products are exact.

import type { CompileSpec, LayerSpec } from '../../src/nn/types';
import { Devices } from '../../src/worker/devices';
import { type Example, examples, nameOf } from '../support/layer-examples';
import { type Compared, modelAround, stepBothWays } from './layer-step';

const compile: CompileSpec = {
  optimizer: { name: 'sgd' },
  losses: [{ name: 'meanSquaredError' }],
  lossWeights: [1],
  metrics: [[]],
  mixedPrecision: { initialScale: 256, dynamicGrowthSteps: 2000 },
};
/** Of the largest element: float16 has three digits. */
const tolerance = 0.02;

const dense = (name: string, units: number): LayerSpec => ({ name, className: 'Dense', config: { units } });

const devices = new Devices(navigator.gpu);

/** Which have nothing to do in float16. */
const recurrent = new Set(['LSTM', 'GRU', 'SimpleRNN', 'Bidirectional']);

/** "layer: what disagrees", empty when all is well; and the operators that computed in float16. */
export async function checkLayers(): Promise<{ failures: string[]; operators: string[] }> {
  const failures: string[] = [];
  const operators = new Set<string>();
  for (const example of examples) {
    if (recurrent.has(example.className)) continue;
    try {
      for (const op of await checkLayer(example, (text) => failures.push(`${nameOf(example)}: ${text}`))) {
        operators.add(op);
      }
    } catch (error) {
      failures.push(`${nameOf(example)}: ${(error as Error).stack}`);
    }
  }
  return { failures, operators: [...operators].sort() };
}

/** The layer between products of the last axis, so that what comes in is of float16, and its gradient too. */
async function checkLayer(example: Example, fail: (text: string) => void): Promise<string[]> {
  const before = (i: number) => dense(`before${i}`, example.shapes[i]?.at(-1) as number);
  const spec = modelAround(example, before, dense('after', example.result.at(-1) as number));
  const { graph, compared } = await stepBothWays(await devices.get(undefined), spec, compile);
  for (const each of compared) compare(each, fail);
  const { nodes, values } = graph;
  return nodes.filter(({ outputs: [name = ''] }) => values.get(name)?.dtype === 'float16').map(({ op }) => op);
}

function compare({ name, got, expected }: Compared, fail: (text: string) => void): void {
  const scale = Math.max(0.1, ...Array.from(expected.data, Math.abs));
  const wrong = got.data.findIndex(
    (value, i) => !(Math.abs(value - (expected.data[i] as number)) <= tolerance * scale),
  );
  if (wrong >= 0) fail(`${name}, element ${wrong}: ${got.data[wrong]}, expected ${expected.data[wrong]}`);
}
