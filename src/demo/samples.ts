// What the page offers to try: the demo's own detector and picture, and in development the networks and
// photographs that the server lists under /shared/. A list that does not answer with JSON adds nothing.

import { drawDigit, fetchPicture, type Picture } from './picture';

export interface Sample {
  readonly id: string;
  readonly title: string;
  readonly model: string | File;
  readonly pictures: readonly PictureChoice[];
}

export interface PictureChoice {
  readonly title: string;
  /** Address of a small view; the picture itself where it is a file. */
  readonly thumbnail?: string;
  readonly open: (signal: AbortSignal) => Promise<Picture>;
}

interface SharedFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

const base = import.meta.env.BASE_URL;

const ownPictures: readonly PictureChoice[] = [1, 2, 3].map((n) =>
  fromUrl(`shapes ${n}`, `${base}pictures/shapes-${n}.png`),
);

export const ownSample: Sample = {
  id: 'glyphs',
  title: 'Shapes (made for this page)',
  model: new URL(`${base}models/glyphs.onnx`, document.baseURI).href,
  pictures: ownPictures,
};

/** By folder of the test data: what the network does, and where pictures for it lie. */
const known: Readonly<Record<string, { title: string; pictures: readonly string[] }>> = {
  'ultraface-rfb-320': { title: 'Faces: UltraFace RFB', pictures: ['ultraface-rfb-320', 'ultraface-slim-320'] },
  'ultraface-slim-320': { title: 'Faces: UltraFace slim', pictures: ['ultraface-slim-320', 'ultraface-rfb-320'] },
  yunet: { title: 'Faces and landmarks: YuNet', pictures: ['ultraface-rfb-320', 'ultraface-slim-320'] },
  'yolox-nano': { title: 'Objects: YOLOX-nano', pictures: ['yolox-nano', 'fastestdet'] },
  fastestdet: { title: 'Objects: FastestDet', pictures: ['fastestdet', 'yolox-nano'] },
  'squeezenet-fp16': { title: 'ImageNet classes: SqueezeNet fp16', pictures: ['squeezenet-fp16', 'imagenet'] },
  'cifar10-cnn-winml': { title: 'Ten classes: CIFAR network', pictures: ['squeezenet-fp16', 'imagenet'] },
  'mnist-onnxzoo': { title: 'Digits: MNIST', pictures: ['digits'] },
  'mnist-opt-wonnx': { title: 'Digits: MNIST', pictures: ['digits'] },
  'super-resolution': { title: 'Super-resolution', pictures: ['super-resolution', 'squeezenet-fp16'] },
  'fns-mosaic_nc8_256x256_onnxjs014': { title: 'Style transfer: mosaic', pictures: ['super-resolution', 'yolox-nano'] },
  'ppocr-det-v1.1': { title: 'Lines of text: PP-OCR', pictures: ['ppocr-det-v1.1'] },
};

const picturesAtMost = 14;

export async function listSamples(): Promise<Sample[]> {
  if (!import.meta.env.DEV) return [ownSample];
  const [models, images] = await Promise.all([list('models'), list('images')]);
  const shared = models.map((file): Sample => {
    const folder = folderOf(file.path);
    const entry = known[folder];
    const several = models.filter((other) => folderOf(other.path) === folder).length > 1;
    return {
      id: file.path,
      title: entry ? `${entry.title}${several ? ` (${file.name})` : ''}` : `${folder} (${file.name})`,
      model: new URL(file.path, document.baseURI).href,
      pictures: entry ? picturesOf(entry.pictures, images) : ownPictures,
    };
  });
  const rank = (sample: Sample) =>
    folderOf(sample.id) in known ? Object.keys(known).indexOf(folderOf(sample.id)) : 99;
  return [ownSample, ...shared.sort((a, b) => rank(a) - rank(b))];
}

export function fromUrl(title: string, url: string): PictureChoice {
  return { title, thumbnail: url, open: (signal) => fetchPicture(title, url, signal) };
}

function picturesOf(folders: readonly string[], images: readonly SharedFile[]): PictureChoice[] {
  return folders
    .flatMap((folder) => {
      if (folder === 'digits') return ['7', '2', '5'].map((d) => ({ title: `a drawn ${d}`, open: () => drawDigit(d) }));
      const inside = images.filter((image) => folderOf(image.path) === folder && image.name !== 'result');
      return inside.map((image) => fromUrl(titleOf(image.name), image.path));
    })
    .slice(0, picturesAtMost);
}

/** n02117135_hyena → hyena, 000000000139 → picture 139 */
function titleOf(name: string): string {
  if (/^\d+$/.test(name)) return `picture ${Number(name)}`;
  return name.replace(/^n\d+_/, '').replaceAll('_', ' ');
}

/** /shared/models/yunet/yunet.onnx → yunet */
function folderOf(path: string): string {
  return decodeURIComponent(path.split('/').at(-2) ?? '');
}

async function list(kind: 'models' | 'images'): Promise<readonly SharedFile[]> {
  try {
    const response = await fetch(`${base}shared/${kind}.json`);
    if (!response.ok || !response.headers.get('Content-Type')?.includes('json')) return [];
    return (await response.json()) as SharedFile[];
  } catch {
    return []; // the page works without them
  }
}
