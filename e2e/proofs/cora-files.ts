// Cora's files, from the shared data.

import { readFileSync } from 'node:fs';
import { dataPath } from '../support/data';
import type { CoraFiles } from './cora';

export function coraFiles(): CoraFiles {
  const text = (name: string) => readFileSync(dataPath('datasets', 'gcn-cora', name), 'utf8');
  return {
    adjacency: text('adjacency.mtx'),
    features: text('features.mtx'),
    splits: text('labels_splits.json'),
  };
}
