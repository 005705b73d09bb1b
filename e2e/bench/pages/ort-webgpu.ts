// onnxruntime-web on WebGPU.

import * as ort from 'onnxruntime-web/webgpu';
import { serveOrt } from './ort';

serveOrt(ort, 'webgpu');
