// What the runner reads off the cases: the operator, what no tensor can hold, which values are random.

import { expect, test } from 'vitest';
import { dataPath, describeWithData } from '../support/data';
import { listCases, onePerType } from './cases';

describeWithData('conformance cases', () => {
  const listing = listCases(dataPath('onnx-node', 'node'));
  const named = async (name: string) => (await listing).find((c) => c.name === name);

  test('name their operator, also where the model spells it out in others', async () => {
    expect(await named('test_add_bcast')).toMatchObject({ op: 'Add', opset: 14, dtypes: ['float32'], random: false });
    expect(await named('test_layer_normalization_2d_axis0_expanded')).toMatchObject({ op: 'LayerNormalization' });
    expect((await listing).filter(({ op }) => op === 'several operators')).toEqual([]);
  });

  test('say what no tensor of a page can hold', async () => {
    expect(await named('test_sequence_insert_at_back')).toMatchObject({ outOfScope: 'sequence' });
    expect(await named('test_equal_string')).toMatchObject({ outOfScope: 'string' });
    expect((await named('test_add'))?.outOfScope).toBe(undefined);
  });

  test('tell random values from others by operator and inputs', async () => {
    expect(await named('test_bernoulli_double_expanded')).toMatchObject({ random: true });
    expect(await named('test_training_dropout')).toMatchObject({ random: true });
    expect(await named('test_training_dropout_zero_ratio')).toMatchObject({ random: false });
    expect(await named('test_dropout_default_ratio')).toMatchObject({ random: false });
  });

  test('come down to one for every operator and input type', async () => {
    const cases = await listing;
    const pairs = (list: typeof cases) => {
      const inScope = list.filter(({ outOfScope }) => outOfScope === undefined);
      return new Set(inScope.flatMap(({ op, dtypes }) => dtypes.map((dtype) => `${op} ${dtype}`)));
    };
    const some = onePerType(cases);
    expect(pairs(some)).toEqual(pairs(cases));
    expect(some.length).toBeLessThan(cases.length / 2);
  });
});
