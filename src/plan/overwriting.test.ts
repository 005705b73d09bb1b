import { expect, it } from 'vitest';
import { int64s } from '../base/ndarray';
import { GraphBuilder } from '../ir/builder';
import { inferNode } from '../ops/registry';
import { registerTrainingOperators } from '../ops/training';
import { overwritingSoon } from './overwriting';

registerTrainingOperators();

function builder() {
  const b = new GraphBuilder('step', inferNode);
  for (const name of ['w', 'v', 'x']) b.input(name, 'float32', [4, 4]);
  return { b, add: (op: string, ...inputs: string[]) => b.add(op, inputs)[0] as string };
}

const opsOf = (graph: Parameters<typeof overwritingSoon>[0]) => overwritingSoon(graph).map(({ op }) => op);

it('overwrites behind the last reader, views of the variable included', () => {
  const { b, add } = builder();
  const [view] = b.add('Reshape', ['w', b.constant(int64s([16]))]) as [string];
  const negative = add('Neg', 'x');
  const assigned = add('lepton.Assign', 'w', negative);
  const other = add('lepton.Assign', 'v', negative);
  const read = add('Abs', view);
  const graph = b.finish([assigned, other, add('Exp', read)]);
  expect(opsOf(graph)).toEqual(['Reshape', 'Neg', 'lepton.Assign', 'Abs', 'lepton.Assign', 'Exp']);
});

it('refuses to overwrite by what is overwritten itself, through views too', () => {
  const { b, add } = builder();
  const first = add('lepton.Assign', 'v', add('Identity', 'w'));
  const second = add('lepton.Assign', 'w', 'x');
  expect(() => overwritingSoon(b.finish([first, second]))).toThrow('which is overwritten in the same run');
});
