// The real networks of the shared data that come with an input and the outputs of onnxruntime on the CPU.

import { dataPath } from '../support/data';

export interface ReferenceModel {
  readonly name: string;
  /** Path of the .onnx file below the shared data. */
  readonly path: readonly string[];
  /** Folder of input_*.pb and output_*.pb. */
  readonly reference: readonly string[];
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
];

export function pathOf(model: ReferenceModel): string {
  return dataPath(...model.path);
}
