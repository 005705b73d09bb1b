// How the demo feeds a network and reads it, chosen by the network's own inputs and outputs, so that a
// file dropped onto the page works as its sample does. The first recipe that matches is taken; without a
// match, `feeds.ts` and the table of tensors serve.

import type { TensorInfo } from '../api';
import type { Answer } from './answer';
import type { Box, Outputs } from './decode/boxes';
import { decodeClasses } from './decode/classify';
import { decodeFastestDet } from './decode/fastestdet';
import { type Fitting, type Size, toPicture } from './decode/fit';
import { decodeGlyphs, mean as glyphMean, std as glyphStd } from './decode/glyphs';
import { planesToPixels, replaceLuminance } from './decode/planes';
import { decodeTextMap } from './decode/textmap';
import { decodeUltraFace } from './decode/ultraface';
import { decodeYolox } from './decode/yolox';
import { decodeYuNet } from './decode/yunet';
import { type LabelSet, labels } from './labels';
import { nextTask } from './pace';

export interface Signature {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
}

/** The part of image()'s options that a recipe sets beside the size. */
export interface Look extends Fitting {
  readonly mean?: number | readonly number[];
  readonly std?: number | readonly number[];
  readonly scale?: number;
  readonly channels?: 'RGB' | 'BGR' | 'gray';
  /** Pixel value around the picture with 'contain'. */
  readonly pad?: number;
}

export interface Recipe {
  readonly id: string;
  /** What it finds, for the page: "Faces". */
  readonly task: string;
  readonly look: Look;
  /** Height and width to use where the model leaves them open. */
  readonly size?: Size;
  readonly matches: (model: Signature) => boolean;
  readonly read: (outputs: Outputs, scene: Scene) => Answer | Promise<Answer>;
}

/** What an answer is about: the picture, and the size it had in the network's input. */
export interface Scene {
  readonly bitmap: ImageBitmap;
  readonly input: Size;
  readonly look: Look;
  readonly labels: readonly string[];
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;
const bytes = { scale: 1, mean: 0, std: 1 } as const;

const recipes: readonly (Recipe & { readonly labelSet?: LabelSet })[] = [
  {
    id: 'glyphs',
    task: 'Shapes',
    look: { fit: 'contain', mean: glyphMean, std: glyphStd },
    matches: (m) => hasOutputs(m, 'heat', 'box'),
    read: boxes('shape', (outputs) => decodeGlyphs(outputs)),
  },
  {
    id: 'ultraface',
    task: 'Faces',
    look: { fit: 'fill', scale: 1, mean: 127, std: 128 },
    matches: (m) => hasOutputs(m, 'scores', 'boxes') && dims(m.outputs[0])[2] === 2,
    read: boxes('face', (outputs, scene) => decodeUltraFace(outputs, scene.input)),
  },
  {
    id: 'yunet',
    task: 'Faces with landmarks',
    look: { fit: 'contain', channels: 'BGR', ...bytes },
    size: [320, 320],
    matches: (m) => hasOutputs(m, 'cls_8', 'obj_8', 'bbox_8', 'kps_8'),
    read: boxes('face', (outputs, scene) => decodeYuNet(outputs, scene.input)),
  },
  {
    id: 'yolox',
    task: 'Objects',
    look: { fit: 'contain', align: 'start', pad: 114, channels: 'BGR', ...bytes },
    labelSet: 'coco',
    matches: (m) => m.outputs.length === 1 && dims(m.outputs[0]).length === 3 && dims(m.outputs[0])[2] === 85,
    read: boxes('object', (outputs, scene) => decodeYolox(only(outputs), scene.input, scene.labels)),
  },
  {
    id: 'fastestdet',
    task: 'Objects',
    look: { fit: 'fill', channels: 'BGR' },
    labelSet: 'coco',
    matches: (m) => m.outputs.length === 1 && dims(m.outputs[0]).length === 4 && dims(m.outputs[0])[1] === 85,
    read: boxes('object', (outputs, scene) => decodeFastestDet(only(outputs), scene.input, scene.labels)),
  },
  {
    id: 'squeezenet',
    task: 'What is in the picture',
    look: { fit: 'cover', channels: 'BGR', ...bytes },
    labelSet: 'imagenet',
    matches: (m) => elements(m.outputs[0]) === 1000 && m.inputs[0]?.name === 'data_0',
    read: classes,
  },
  {
    id: 'imagenet',
    task: 'What is in the picture',
    look: { fit: 'cover', ...imagenet },
    labelSet: 'imagenet',
    matches: (m) => m.outputs.length === 1 && elements(m.outputs[0]) === 1000 && isImage(m.inputs[0], 3),
    read: classes,
  },
  {
    id: 'cifar',
    task: 'What is in the picture (10 classes)',
    look: { fit: 'cover', mean: 0.5, std: 0.5 },
    labelSet: 'cifar',
    matches: (m) => elements(m.outputs[0]) === 10 && isImage(m.inputs[0], 3),
    read: classes,
  },
  {
    id: 'mnist',
    task: 'Handwritten digits',
    look: { fit: 'contain', channels: 'gray', ...bytes },
    labelSet: 'digits',
    matches: (m) => elements(m.outputs[0]) === 10 && isImage(m.inputs[0], 1),
    read: classes,
  },
  {
    id: 'super-resolution',
    task: 'Three times the resolution',
    look: { fit: 'fill', channels: 'gray' },
    matches: (m) => isImage(m.inputs[0], 1) && isImage(m.outputs[0], 1) && enlarges(m),
    read: async (outputs, scene) => {
      const luminance = only(outputs);
      const colour = await resized(scene.bitmap, luminance.dims[3]!, luminance.dims[2]!);
      return {
        kind: 'picture',
        image: await replaceLuminance(luminance, colour, nextTask),
        caption: 'Enlarged picture',
      };
    },
  },
  {
    id: 'style',
    task: 'The picture in another style',
    look: { fit: 'cover', ...bytes },
    matches: (m) => m.outputs.length === 1 && isImage(m.inputs[0], 3) && isImage(m.outputs[0], 3),
    read: async (outputs) => ({
      kind: 'picture',
      image: await planesToPixels(only(outputs), 1, nextTask),
      caption: 'Restyled picture',
    }),
  },
  {
    id: 'text',
    task: 'Lines of text',
    look: { fit: 'fill', ...imagenet },
    size: [640, 640],
    matches: (m) => m.outputs.length === 1 && isImage(m.inputs[0], 3) && isImage(m.outputs[0], 1),
    read: boxes('line', (outputs) => decodeTextMap(only(outputs))),
  },
];

/** The recipe for a model of these inputs and outputs, and the names of its classes. */
export async function findRecipe(model: Signature): Promise<{ recipe: Recipe; labels: readonly string[] } | undefined> {
  const recipe = recipes.find((r) => r.matches(model));
  return recipe && { recipe, labels: recipe.labelSet ? await labels(recipe.labelSet) : [] };
}

function boxes(noun: string, decode: (outputs: Outputs, scene: Scene) => Box[]): Recipe['read'] {
  return (outputs, scene) => {
    const picture: Size = [scene.bitmap.height, scene.bitmap.width];
    const found = decode(outputs, scene).map((box) => toPicture(box, scene.look, scene.input, picture));
    return { kind: 'boxes', noun, boxes: found };
  };
}

function classes(outputs: Outputs, scene: Scene): Answer {
  return { kind: 'classes', classes: decodeClasses(only(outputs), scene.labels) };
}

function only(outputs: Outputs): Outputs[string] {
  return Object.values(outputs)[0]!;
}

function dims(value: TensorInfo | undefined): readonly (number | string)[] {
  return value?.shape ?? [];
}

/** Elements of one answer: the product of the known dimensions. */
function elements(value: TensorInfo | undefined): number {
  return dims(value).reduce<number>((n, d) => (typeof d === 'number' ? n * d : n), 1);
}

function isImage(value: TensorInfo | undefined, channels: number): boolean {
  const shape = dims(value);
  return shape.length === 4 && shape[1] === channels;
}

function enlarges(model: Signature): boolean {
  const [from, to] = [dims(model.inputs[0])[3], dims(model.outputs[0])[3]];
  return typeof from === 'number' && typeof to === 'number' && to > from;
}

function hasOutputs(model: Signature, ...names: string[]): boolean {
  return names.every((name) => model.outputs.some((value) => value.name === name));
}

async function resized(bitmap: ImageBitmap, width: number, height: number): Promise<ImageData> {
  const scaled = await createImageBitmap(bitmap, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' });
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(scaled, 0, 0);
  scaled.close();
  return context.getImageData(0, 0, width, height);
}
