// Where `lepton-trainer.js` is. Told apart from where the compiler is, since bundlers of others give each a name of its own;
// in bundles only of what trains, so that other pages do not carry the file along.

import { shared } from './shared';

export function trainerUrl(): string {
  const found = shared.besideScript('lepton-trainer.js');
  if (found) return found;
  if (import.meta.env.DEV) return new URL('../worker/trainer-script.ts', import.meta.url).href;
  return new URL(/* @vite-ignore */ './lepton-trainer.js', import.meta.url).href;
}
