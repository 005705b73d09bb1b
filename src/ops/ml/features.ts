// What operators on features share: rows of them lie along the last axis, and are computed in float32.

import { numberOfDType } from '../../base/onnx-dtypes';
import type { NodeView } from '../../ir/node-view';
import type { LowerBuilder } from '../../ir/opdef';

export const asFloat32 = (b: LowerBuilder, name: string) =>
  b.type(name).dtype === 'float32' ? name : (b.add('Cast', [name], { to: numberOfDType('float32') })[0] as string);

/** Size of the last axis; a scalar is one feature. */
export const featuresOf = (n: NodeView) => n.input(0).dims.at(-1) ?? 1;
