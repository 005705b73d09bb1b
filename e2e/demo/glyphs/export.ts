// The trained detector as an ONNX model (opset 17). Input "picture" [1, 3, height, width], (v - 0.5) / 0.25.
// Outputs "heat" [1, 5, h/8, w/8], presence times class probability, and "box" [1, 4, h/8, w/8].

import { glyphClasses } from '../../../src/demo/decode/glyphs';
import { makeModel, type NodeSpec, type TensorSpec } from '../../support/onnx-writer';
import { type Layer, rows } from './network';

export function exportOnnx(network: readonly Layer[], width: number, height: number): Uint8Array<ArrayBuffer> {
  const nodes: NodeSpec[] = [];
  const initializers: TensorSpec[] = [];
  /** A convolution with `count` of the layer's output rows from `first` on. */
  const conv = (spec: {
    name: string;
    layer: Layer;
    input: string;
    output?: string;
    first?: number;
    count?: number;
  }): string => {
    const { name, layer, input, output = `${name}.out`, first = 0, count = layer.spec.outputs } = spec;
    const { inputs, kernel, stride } = layer.spec;
    const fan = inputs * kernel * kernel;
    const pad = (kernel - 1) / 2;
    initializers.push(
      {
        name: `${name}.weight`,
        dtype: 'float32',
        dims: [count, inputs, kernel, kernel],
        data: layer.weight.slice(first * fan, (first + count) * fan),
      },
      { name: `${name}.bias`, dtype: 'float32', dims: [count], data: layer.bias.slice(first, first + count) },
    );
    nodes.push({
      op: 'Conv',
      name,
      inputs: [input, `${name}.weight`, `${name}.bias`],
      outputs: [output],
      attributes: {
        kernel_shape: { ints: [kernel, kernel] },
        strides: { ints: [stride, stride] },
        pads: { ints: [pad, pad, pad, pad] },
      },
    });
    return output;
  };
  const apply = (op: string, name: string, inputs: string[], output = `${name}.out`, attributes = {}): string => {
    nodes.push({ op, name, inputs, outputs: [output], attributes });
    return output;
  };

  const values: string[] = [];
  for (const layer of network.slice(0, -1)) {
    const { name, residual } = layer.spec;
    let value = conv({ name, layer, input: values.at(-1) ?? 'picture' });
    if (residual !== undefined) value = apply('Add', `${name}.add`, [value, values[residual]!]);
    values.push(apply('Relu', `${name}.relu`, [value]));
  }
  const head = network.at(-1)!;
  const features = values.at(-1)!;
  const presence = apply('Sigmoid', 'presence.sigmoid', [
    conv({ name: 'presence', layer: head, input: features, first: rows.presence, count: 1 }),
  ]);
  const kinds = conv({
    name: 'classes',
    layer: head,
    input: features,
    first: rows.classes,
    count: glyphClasses.length,
  });
  const shares = apply('Softmax', 'classes.softmax', [kinds], 'classes.share', { axis: { int: 1 } });
  apply('Mul', 'heat', [presence, shares], 'heat');
  conv({ name: 'boxes', layer: head, input: features, output: 'box', first: rows.box, count: 4 });
  const cells = [height / 8, width / 8];
  return makeModel({
    name: 'glyphs',
    producer: 'lepton-demo',
    opset: 17,
    nodes,
    initializers,
    inputs: [{ name: 'picture', dtype: 'float32', shape: [1, 3, height, width] }],
    outputs: [
      { name: 'heat', dtype: 'float32', shape: [1, glyphClasses.length, ...cells] },
      { name: 'box', dtype: 'float32', shape: [1, 4, ...cells] },
    ],
  });
}
