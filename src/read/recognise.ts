// Names what a file is that is not an ONNX model: the web page of an error, a pointer of Git LFS, another
// format. Looks at the first bytes only; says nothing about files that may be models.

import { malformed } from './malformed';
import type { Window } from './window';

const looked = 512;

interface OtherFormat {
  /** Text at the file's beginning, or bytes (one character each) at offset `at`. */
  readonly begins: RegExp | string;
  readonly at?: number;
  readonly is: string;
  readonly advice: string;
}

/** Beginnings that no ONNX model has. */
const others: readonly OtherFormat[] = [
  {
    begins: /^\s*<(!doctype|html|\?xml|head|body|!--)/i,
    is: 'is a page, not a model',
    advice: 'Its address probably answers with a web page: a sign-in, an error, or a page about the model',
  },
  {
    begins: 'version https://git-lfs',
    is: 'is a pointer file of Git LFS, not the model itself',
    advice: 'Run "git lfs pull", or use the address of the raw file',
  },
  { begins: /^\s*[{[]\s*["[{\]}]/, is: 'is JSON, not a model', advice: 'Its address probably answers with an error' },
  {
    begins: 'PK\x03\x04',
    is: 'is a zip archive',
    advice: 'Unpack it, or export the PyTorch checkpoint with torch.onnx.export()',
  },
  { begins: '\x1f\x8b', is: 'is compressed with gzip', advice: 'Unpack it, or serve it with Content-Encoding: gzip' },
  { begins: '\x89HDF', is: 'is an HDF5 file', advice: 'Convert the Keras model with tf2onnx' },
  { begins: 'TFL3', at: 4, is: 'is a TensorFlow Lite model', advice: 'Convert it with tf2onnx' },
  { begins: 'ORTM', at: 4, is: 'is in the ORT format', advice: 'Use the .onnx file that it was made from' },
  { begins: '{"', at: 8, is: 'is a safetensors file', advice: 'It holds weights without a graph: export to ONNX' },
];

/** @throws INVALID_MODEL for an empty file, and for one that is plainly something else */
export async function refuseOtherFormats(window: Window): Promise<void> {
  const have = await window.load(0, looked);
  if (have === 0) throw malformed('The model is empty: 0 bytes. Check the address or file.', { offset: 0 });
  const text = String.fromCharCode(...window.bytes(0, have)).replace(/^\xef\xbb\xbf/, '');
  const other = others.find(({ begins, at = 0 }) =>
    typeof begins === 'string' ? text.startsWith(begins, at) : begins.test(text),
  );
  if (!other) return;
  const start = text
    .trimStart()
    .slice(0, 40)
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
  throw malformed(`The file ${other.is}: it starts with "${start}". ${other.advice}.`, { got: start });
}
