// A Graph as an ONNX model again, so that ONNX Runtime can say what the graph means.

import type { Graph } from '../../src/ir/graph';
import { isFloatAttribute } from '../../src/ops/attribute-kinds';
import { writeOnnx } from '../../src/write/onnx';

/** @param file the bytes that stored constants refer to */
export function writeGraph(graph: Graph, file: Uint8Array): Uint8Array<ArrayBuffer> {
  return writeOnnx(graph, {
    isFloat: isFloatAttribute,
    storedBytes: ({ offset, length }) => file.subarray(offset, offset + length),
  });
}
