// A model as other libraries read it: its weights in float32, and one ONNX graph in the operators that every
// converter knows, from finished crops to posteriors. Knows layers and files; no library.

import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenModel } from '../../models/store.ts';
import { GraphBuilder } from '../../services/inference/onnx/graph-builder.ts';
import { lrnAttributes } from '../../services/inference/onnx/graph.ts';
import { encodeModel } from '../../services/inference/onnx/model-proto.ts';
import { readTensor } from '../../services/inference/worker/weights-file.ts';
import { formatSafetensorsHeader, networkLayers, type ConvLayer, type NetworkSpec } from '../../vgg/index.ts';

/** Names of the files in a folder of {@link writeNetworkFiles}. */
export const NETWORK_FILES = { weights: 'weights.safetensors', graph: 'network.onnx' } as const;

/** Input of the graph: [n, 3, side, side] float32, the mean subtracted. */
export const CROPS = 'crops';
/** Output of the graph: [n, classes] float32. */
export const POSTERIORS = 'posteriors';

/** Writes a model's weights as float32 under their canonical names, and the graph that refers to them. */
export function writeNetworkFiles(
  { name, spec, json, weightsPath, tensors }: OpenModel,
  folder: string,
): void {
  mkdirSync(folder, { recursive: true });
  const source = { key: 0, name, spec, mean: json.mean, weightsPath, tensors };
  const header = formatSafetensorsHeader(tensors.map(({ name, shape }) => ({ name, shape, dtype: 'F32' })));
  const from = openSync(weightsPath, 'r');
  const to = openSync(join(folder, NETWORK_FILES.weights), 'w');
  const places = new Map<string, Place>();
  try {
    let offset = writeSync(to, header);
    for (const tensor of tensors) {
      const values = readTensor(source, from, tensor.name);
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      for (let at = 0; at < bytes.length;) at += writeSync(to, bytes, at);
      places.set(tensor.name, { offset, length: bytes.length });
      offset += bytes.length;
    }
  } finally {
    closeSync(from);
    closeSync(to);
  }
  writeFileSync(join(folder, NETWORK_FILES.graph), cropsGraph(spec, places));
}

/** A stretch of the weights file, in bytes. */
interface Place {
  offset: number;
  length: number;
}

function cropsGraph(spec: NetworkSpec, places: ReadonlyMap<string, Place>): Uint8Array {
  const graph = new GraphBuilder();
  const learned = ({ name, outChannels, inChannels, kernel }: ConvLayer, matrix: boolean) => {
    const area = kernel * kernel;
    const shapes = {
      weight: matrix ? [outChannels, inChannels * area] : [outChannels, inChannels, kernel, kernel],
      bias: [outChannels],
    };
    return Object.entries(shapes).map(([part, dims]) => {
      const tensor = `${name}.${part}`;
      const place = places.get(tensor);
      if (!place) throw new Error(`no tensor ${tensor}`);
      const data = { location: NETWORK_FILES.weights, ...place };
      graph.initializers.push({ name: tensor, dims, element: 'float32', data });
      return tensor;
    });
  };
  let x: string = CROPS;
  for (const layer of networkLayers(spec)) {
    if (layer.kind === 'pool') {
      x = graph.add('MaxPool', [x], { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } });
    } else if (layer.kind === 'lrn') {
      x = graph.add('LRN', [x], lrnAttributes(layer));
    } else if (layer.name.startsWith('fc')) {
      if (layer.name === 'fc6') x = graph.add('Flatten', [x]);
      x = graph.add('Gemm', [x, ...learned(layer, true)], { transB: { int: 1 } });
    } else {
      const { kernel, pad } = layer;
      x = graph.add('Conv', [x, ...learned(layer, false)], {
        kernel_shape: { ints: [kernel, kernel] },
        pads: { ints: [pad, pad, pad, pad] },
      });
    }
    if (layer.kind === 'conv' && layer.relu) x = graph.add('Relu', [x]);
  }
  graph.named(POSTERIORS, 'Softmax', [x], { axis: { int: 1 } });
  const { nodes, initializers } = graph;
  return encodeModel({
    ...{ name: spec.network, nodes, initializers },
    inputs: [{ name: CROPS, element: 'float32', dims: ['n', 3, spec.inputSize, spec.inputSize] }],
    outputs: [{ name: POSTERIORS, element: 'float32', dims: ['n', spec.classes] }],
  });
}
