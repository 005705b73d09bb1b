// docs/operators.md is kept up to date: an operator that it lacks was added without `npm run conformance`.

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { flows, operators } from '../ops/cases';
import { operatorsPage } from './operators-page';

test('docs/operators.md has a row for every operator', () => {
  const page = readFileSync(operatorsPage, 'utf8');
  const missing = [...operators, ...flows].map(({ name }) => name).filter((name) => !page.includes(`\n| ${name} |`));
  expect(missing, 'run `npm run conformance -- --update`').toEqual([]);
});
