// Every layer Lepton knows, gathered from the files of ./layers: adding one touches no list.

import { invalid } from '../base/options';
import type { LayerDef } from './layer';

type Any = LayerDef;
const files = import.meta.glob<Any | readonly Any[]>('./layers/*.layer.ts', { eager: true, import: 'default' });

const registry = new Map<string, Any>(
  Object.values(files).flatMap((found) => [found].flat().map((l) => [l.className, l])),
);

/** As in Keras. */
export function layerNames(): readonly string[] {
  return [...registry.keys()];
}

/** @throws INVALID_ARGUMENT where Lepton has no such layer */
export function layerOf(className: string): Any {
  return (
    registry.get(className) ??
    invalid(`Lepton has no layer "${className}"; it has ${[...layerNames()].sort().join(', ')}.`, { className })
  );
}
