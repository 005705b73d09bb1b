// DeformConv: a convolution whose taps are displaced, pixel by pixel, by offsets that the model computes, and
// optionally weighed by a mask. Inputs: x [batch, channels, spatial…], weights [outputs, channels / group,
// kernel…], offsets, bias [outputs], mask. It is sampling (lepton.DeformColumns, which has the kernel) and a
// pointwise convolution over the samples.

import { int64s, type NDArray } from '../base/ndarray';
import { sizeOf } from '../base/shape';
import { type AttributesOf, int } from '../ir/attributes';
import { NodeView } from '../ir/node-view';
import { defineOp, type OpCase } from '../ir/opdef';
import { convReference } from './conv/reference';
import { type ConvNode, convShape } from './conv/shape';
import { type ColumnsNode, columnAttributes, columnsKernel, columnsOf, columnsReference } from './deform/columns';

const attributes = { ...columnAttributes, group: int(1) };
type View = NodeView<AttributesOf<typeof attributes>>;

/** As a convolution of the same window, whose taps stand where they are. */
function undeformed(n: View): ConvNode {
  return new NodeView(n.node, n.attributes, [n.input(0), n.input(1), n.inputs[3]]);
}

/** The sampling part, its kernel read off the weights where it is not stated. */
function sampling(n: View): ColumnsNode {
  const kernel_shape = n.input(1).dims.slice(2);
  return new NodeView(n.node, { ...n.attributes, kernel_shape }, [n.input(0), n.input(2), n.inputs[4]]);
}

/** What the samples are convolved with: the taps as channels, in a kernel of one element. */
function pointwiseDims(n: View): number[] {
  const [outputs = 0, ...inner] = n.input(1).dims;
  return [outputs, sizeOf(inner), ...inner.slice(1).map(() => 1)];
}

const deformConv = defineOp({
  name: 'DeformConv',
  attributes,
  infer(n) {
    const { batch, groups, groupOut, window } = convShape(undeformed(n));
    columnsOf(sampling(n));
    return [{ dtype: n.input(0).dtype, dims: [batch, groups * groupOut, ...window.output.slice(3 - window.rank)] }];
  },
  reference(n, [x, w, offsets, bias, mask]) {
    const columns = columnsReference(sampling(n), [x, offsets, mask])[0] as NDArray;
    const weights = { ...(w ?? n.fail('lacks its weights')), dims: pointwiseDims(n) };
    const inputs = [columns, weights, bias];
    const plain = { auto_pad: 'NOTSET', dilations: undefined, kernel_shape: undefined, pads: undefined };
    const types = inputs.map((a) => a && { dtype: a.dtype, dims: a.dims, isConstant: false });
    return convReference(
      new NodeView(n.node, { ...plain, strides: undefined, group: n.attributes.group }, types),
      inputs,
    );
  },
  lower(n, b) {
    const { dilations = [], pads = [], strides = [], auto_pad, offset_group, group } = n.attributes;
    const [x, w, offsets, bias = '', mask = ''] = n.node.inputs as [string, string, string, string?, string?];
    const kernel_shape = n.input(1).dims.slice(2);
    const sampled = { auto_pad, dilations, pads, strides, kernel_shape, offset_group };
    const inputs = mask === '' ? [x, offsets] : [x, offsets, mask];
    const columns = b.add('lepton.DeformColumns', inputs, sampled)[0] as string;
    const weights = b.add('Reshape', [w, b.constant(int64s(pointwiseDims(n)))])[0] as string;
    return b.add('Conv', bias === '' ? [columns, weights] : [columns, weights, bias], { group });
  },
});

const deformColumns = defineOp({
  name: 'lepton.DeformColumns',
  attributes: columnAttributes,
  infer: (n) => [{ dtype: n.input(0).dtype, dims: columnsOf(n).dims }],
  reference: columnsReference,
  kernels: [columnsKernel],
});

export default [deformConv, deformColumns];

const near = [-1.7, 1.7] as const;

export const cases: Record<string, OpCase[]> = {
  DeformConv: [
    {
      name: '3×3 with mask and bias',
      inputs: [
        { dims: [2, 3, 7, 6] },
        { dims: [5, 3, 3, 3], constant: true },
        { dims: [2, 18, 7, 6], range: near },
        { dims: [5], constant: true },
        { dims: [2, 9, 7, 6], range: [0, 1] },
      ],
      attributes: { pads: [1, 1, 1, 1] },
      tolerance: 2e-5,
    },
    {
      name: 'groups, offset groups, strides and dilations',
      inputs: [
        { dims: [1, 12, 9, 8] },
        { dims: [6, 6, 2, 3] },
        { dims: [1, 36, 5, 3], range: near },
        undefined,
        { dims: [1, 18, 5, 3] },
      ],
      attributes: { group: 2, offset_group: 3, strides: [2, 2], dilations: [2, 1], pads: [1, 0, 2, 0] },
      tolerance: 2e-5,
    },
    {
      name: 'one axis',
      inputs: [{ dims: [1, 2, 9] }, { dims: [2, 2, 3] }, { dims: [1, 3, 7], range: near }],
      tolerance: 2e-5,
    },
    {
      name: 'three axes, float16',
      inputs: [
        { dtype: 'float16', dims: [1, 2, 3, 4, 3] },
        { dtype: 'float16', dims: [2, 2, 2, 2, 2] },
        { dtype: 'float16', dims: [1, 24, 2, 3, 2], range: near },
      ],
      tolerance: 8e-3,
    },
  ],
};
