// onnxruntime-web on WebAssembly.

import * as ort from 'onnxruntime-web/wasm';
import { serveOrt } from './ort';

serveOrt(ort, 'wasm');
