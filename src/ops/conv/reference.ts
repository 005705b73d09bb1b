// Convolution in plain loops: sums in float64, rounded once to the output's type.

import { type NDArray, ndarray } from '../../base/ndarray';
import { forEachIndex } from '../../base/shape';
import { forEachTap } from '../window';
import { type ConvNode, convShape } from './shape';

export function convReference(n: ConvNode, inputs: readonly (NDArray | undefined)[]): NDArray[] {
  const [x, w, bias] = inputs as [NDArray, NDArray, NDArray | undefined];
  const { batch, groups, channels, groupOut, window, taps, inputStep, outputStep } = convShape(n);
  const outputs = groups * groupOut;
  const y = ndarray(x.dtype, [batch, outputs, ...window.output.slice(3 - window.rank)]);
  forEachIndex(window.output, (at, pixel) => {
    const tapOf: number[] = [];
    const offsetOf: number[] = [];
    forEachTap(window, at, (tap, offset) => {
      tapOf.push(tap);
      offsetOf.push(offset);
    });
    for (let image = 0; image < batch; image++) {
      for (let m = 0; m < outputs; m++) {
        const group = Math.floor(m / groupOut);
        let sum = bias ? (bias.data[m] as number) : 0;
        for (let c = 0; c < channels; c++) {
          const from = ((image * groups + group) * channels + c) * inputStep;
          const weights = (m * channels + c) * taps;
          for (let t = 0; t < tapOf.length; t++) {
            sum +=
              (x.data[from + (offsetOf[t] as number)] as number) * (w.data[weights + (tapOf[t] as number)] as number);
          }
        }
        y.data[(image * outputs + m) * outputStep + pixel] = sum;
      }
    }
  });
  return [y];
}
