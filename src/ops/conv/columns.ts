// Conv.columns: the implicit matrix of a convolution written out (im2col), then a product over its rows. Each
// input is gathered once per tap instead of once per tap and tile of outputs.

import columnsText from '../../../shaders/conv-columns.wgsl?raw';
import joinText from '../../../shaders/conv-join.wgsl?raw';
import windowText from '../../../shaders/conv-window.wgsl?raw';
import { byteSize, deviceType } from '../../base/dtype';
import { ceilDiv } from '../../base/shape';
import type { Dispatch, Kernel, Operand } from '../../ir/kernel';
import type { NodeView } from '../../ir/node-view';
import { linearHelpers, oneEach } from '../wgsl/dispatch';
import { elemAliases } from '../wgsl/elements';
import { type Convolution, isFloating, type Packed, packedWeights, storeText, sumsTail, windowUniforms } from './parts';
import {
  mostScratch,
  pointWindow,
  productCost,
  productDispatch,
  productLegal,
  productSpace,
  together,
  usesWorkgroups,
} from './product';
import { type ConvShape, hasWideGroups, isPointwise } from './shape';

const workgroup = 64;

/** The convolution over the rows of the matrix: every tap of a channel is a channel of its own. */
function rowsShape(shape: ConvShape): ConvShape {
  const { channels, taps, window, pixels } = shape;
  const inputStep = 4 * ceilDiv(pixels, 4);
  return { ...shape, channels: channels * taps, taps: 1, inputStep, window: pointWindow(window.output) };
}

/** Quads of one row, and invocations: one a quad of a channel. */
function lines({ pixels, planes, groups, channels }: ConvShape) {
  const columnQuads = ceilDiv(pixels, 4);
  return { columnQuads, invocations: columnQuads * planes * groups * channels };
}

function matrixBytes(n: NodeView, shape: ConvShape): number {
  return 4 * byteSize(deviceType(n.input(0).dtype)) * lines(shape).invocations * shape.taps;
}

/** The same, its rows shared out among `slices` groups: small images make too few workgroups for a GPU otherwise. */
function slicedShape(shape: ConvShape, slices: number): ConvShape {
  const rows = rowsShape(shape);
  if (slices === 1) return rows;
  return { ...rows, groups: slices, channels: rows.channels / slices, outputStep: rows.inputStep };
}

function joinDispatch(n: NodeView, shape: ConvShape, slices: number, sums: Operand, packed: Packed): Dispatch {
  const { columnQuads: pixelQuads } = lines(shape);
  const { batch, groupOut: outputs, pixels } = shape;
  const invocations = batch * outputs * pixelQuads;
  const tail = storeText(n, pixels % 4 === 0);
  return {
    label: `${n.node.op}.join`,
    wgsl: elemAliases(n.input(0).dtype) + linearHelpers + tail.text + joinText,
    constants: { WORKGROUP: workgroup },
    bindings: { sums, weights: packed.operand, ...tail.bindings },
    uniforms: { slices, outputs, pixels, pixelQuads, biasAt: packed.biasAt, invocations },
    workgroups: oneEach(invocations, workgroup),
  };
}

export function columns<A>(kind: Convolution<A>): Kernel<A> {
  return {
    name: 'columns',
    space: { ...productSpace, slices: [1, 4, 16] },
    epilogueAxis: () => 1,
    when(n) {
      const shape = kind.sizes(n);
      const moved = !isPointwise(shape) || shape.pixels % 4 !== 0;
      const bytes = matrixBytes(n, shape);
      return isFloating(n) && hasWideGroups(shape) && moved && bytes > 0 && bytes <= mostScratch;
    },
    legal(n, t, adapter) {
      const { slices = 1 } = t;
      const { groups, channels, taps, planes, batch } = kind.sizes(n);
      const divides = groups === 1 && planes === batch && (channels * taps) % (4 * slices) === 0;
      return productLegal(t, adapter) && (slices === 1 || (divides && usesWorkgroups(t)));
    },
    cost(n, t) {
      const { slices = 1 } = t;
      const shape = kind.sizes(n);
      const { invocations, columnQuads } = lines(shape);
      const bytes = matrixBytes(n, shape);
      const product = productCost(n, slicedShape(shape, slices), t);
      const gather = {
        flops: invocations * (150 + shape.taps * 60),
        traffic: 2 * bytes,
        workgroups: ceilDiv(invocations, workgroup),
      };
      if (slices === 1) return together(product, gather);
      const quads = shape.batch * shape.groupOut * columnQuads;
      const join = {
        flops: quads * (40 + 8 * slices),
        traffic: 16 * quads * (slices + 2),
        workgroups: ceilDiv(quads, workgroup),
      };
      return together(product, gather, join);
    },
    dispatches(n, t) {
      const { slices = 1 } = t;
      const shape = kind.sizes(n);
      const rows = rowsShape(shape);
      const { columnQuads, invocations } = lines(shape);
      const packed = packedWeights(n, rows, { ...kind.weightSteps(shape), rowTaps: shape.taps });
      const matrix: Operand = { scratch: 'columns', bytes: matrixBytes(n, shape) };
      const bytes = 16 * columnQuads * shape.batch * shape.groupOut * slices;
      const sums: Operand = { scratch: 'sums', bytes };
      const gather: Dispatch = {
        label: `${n.node.op}.columns`,
        wgsl: elemAliases(n.input(0).dtype) + linearHelpers + columnsText + windowText,
        constants: { WORKGROUP: workgroup, TRANSPOSED: kind.transposed ? 1 : 0 },
        bindings: { x: { input: 0 }, columns: matrix },
        uniforms: {
          ...windowUniforms(shape.window),
          inputStep: shape.inputStep,
          channels: shape.groups * shape.channels,
          columnQuads,
          invocations,
        },
        workgroups: oneEach(invocations, workgroup),
      };
      const whole = { biasAt: packed.biasAt, tail: storeText(n, shape.pixels % 4 === 0) };
      const partial = { biasAt: undefined, tail: sumsTail(sums) };
      const product = productDispatch(n, slicedShape(shape, slices), t, {
        x: matrix,
        reading: 'planes',
        weights: packed.operand,
        ...(slices === 1 ? whole : partial),
      });
      const join = slices === 1 ? [] : [joinDispatch(n, shape, slices, sums, packed)];
      return [packed.dispatch, gather, product, ...join];
    },
  };
}
