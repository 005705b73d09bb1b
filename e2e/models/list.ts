// The real networks of the shared data. Most come with inputs and the outputs of onnxruntime on the CPU.

import { dataPath } from '../support/data';

export interface ReferenceModel {
  readonly name: string;
  /** Path of the .onnx file below the shared data. */
  readonly path: readonly string[];
  /** Folder of input_*.pb and output_*.pb; without one the inputs are drawn in the shapes of `draw`. */
  readonly reference?: readonly string[];
  readonly draw?: readonly (readonly number[])[];
  /** Largest error allowed relative to the output's scale. */
  readonly tolerance: number;
}

const model = (folder: string, file: string, tolerance = 1e-3): ReferenceModel => ({
  name: `${folder}/${file}`,
  path: ['models', folder, `${file}.onnx`],
  reference: ['models', folder, `ref_${file}`],
  tolerance,
});

/** Those that must run and agree. */
export const referenceModels: readonly ReferenceModel[] = [
  model('ultraface-rfb-320', 'version-RFB-320'),
  model('ultraface-slim-320', 'version-slim-320'),
  model('yunet', 'yunet_n_320_320'),
  model('yunet', 'yunet_n_dynamic'),
  model('yunet', 'yunet_s_320_320'),
  model('yolox-nano', 'yolox_nano'),
  model('fastestdet', 'FastestDet'),
  // Half precision throughout: the adapter may compute in f16 or f32.
  model('squeezenet-fp16', 'SqueezeNet_fp16', 1e-2),
  model('cifar10-cnn-winml', 'ImageClassifier'),
  model('mnist-opt-wonnx', 'mnist-8'),
  model('mnist-opt-wonnx', 'opt-mnist'),
  model('super-resolution', 'super_resolution'),
  model('fns-mosaic_nc8_256x256_onnxjs014', 'mosaic_nc8_256x256_onnxjs014'),
  model('ppocr-det-v1.1', 'ch_mobile_v1.1_det'),
  model('rl-policy-go1', 'go1_policy'),
  model('basic-pitch', 'nmp'),
  model('dtln', 'model_1'),
  model('dtln', 'model_2'),
  model('gtcrn', 'gtcrn'),
  model('gtcrn', 'gtcrn_simple'),
  model('magika-standard-v3_3', 'model'),
  model('silero-vad', 'silero_vad_16k_op15'),
  model('silero-vad', 'silero_vad_op18_ifless'),
  {
    name: 'iris-mlp-winml/Network',
    path: ['models', 'iris-mlp-winml', 'Network.onnx'],
    draw: [[5, 4]],
    tolerance: 1e-3,
  },
];

export function pathOf(model: ReferenceModel): string {
  return dataPath(...model.path);
}
