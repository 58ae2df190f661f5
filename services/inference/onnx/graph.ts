// A network row becomes an ONNX graph whose weights stay in the model's own file.
// Knows layers and operators; does not know sessions, batches or where pixels come from.

import { expected } from '../../../vgg/errors.ts';
import {
  networkLayers,
  TOTAL_STRIDE,
  type ConvLayer,
  type LrnLayer,
  type NetworkSpec,
} from '../../../vgg/networks.ts';
import type { WeightEntry } from '../worker/messages.ts';
import { GraphBuilder } from './graph-builder.ts';
import { encodeModel, type Attributes, type Element } from './model-proto.ts';

/** Input of the body: [n, h, w, 3] uint8, RGB. */
export const PIXELS = 'pixels';
/** Output of the body, input of the head: [rows, channels · side²], what fc6 reads at each location. */
export const ROWS = 'rows';
/** Output of the head: [rows, classes], before any softmax. */
export const SCORES = 'scores';

/** What a graph is written from. */
export interface GraphSource {
  spec: NetworkSpec;
  /** Subtracted from every pixel: red, green, blue. */
  mean: readonly [number, number, number];
  /** File name of the weights, without its folder. */
  weightsFile: string;
  /** The file's tensors, by canonical name; checked against the spec beforehand. */
  tensors: readonly WeightEntry[];
}

const ELEMENTS = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' } as const satisfies Record<
  string,
  Element
>;
// An end that lies beyond any map: up to the last row or column.
const TO_THE_END = 2 ** 31 - 1;

/**
 * Writes the body: pixels − mean, the convolutions, then every window that fc6 reads.
 *
 * @returns the bytes of an .onnx model that refers to `weightsFile`
 */
export function writeBody(source: GraphSource): Uint8Array {
  const graph = new GraphWriter(source);
  const { spec } = source;
  // [n, h, w, 3] uint8 → [n, 3, h, w] float32 − mean
  let x = graph.add('Cast', [PIXELS], { to: { int: 1 } });
  x = graph.add('Sub', [x, graph.floats('mean', [3], source.mean)]);
  x = graph.add('Transpose', [x], { perm: { ints: [0, 3, 1, 2] } });
  for (const layer of networkLayers(spec)) {
    if (layer.kind === 'pool') {
      x = graph.add('MaxPool', [x], { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } });
    } else if (layer.kind === 'lrn') {
      x = graph.add('LRN', [x], lrnAttributes(layer));
    } else if (layer.name === 'fc6') {
      graph.windows(x, layer, spec.inputSize / TOTAL_STRIDE);
      break;
    } else {
      const pad = layer.pad;
      x = graph.add('Conv', [x, graph.weight(layer), graph.bias(layer)], {
        kernel_shape: { ints: [layer.kernel, layer.kernel] },
        pads: { ints: [pad, pad, pad, pad] },
      });
      if (layer.relu) x = graph.add('Relu', [x]);
    }
  }
  return encodeModel({
    name: spec.network,
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: [{ name: PIXELS, element: 'uint8', dims: ['n', 'h', 'w', 3] }],
    outputs: [{ name: ROWS, element: 'float32', dims: ['rows', 'inputs'] }],
  });
}

/**
 * Writes the head: the fully connected layers as matrix products over all locations of all images. As
 * convolutions they read their weights once per image (411 MB in fc6 of the paper's networks), as products once
 * per batch.
 */
export function writeHead(source: GraphSource): Uint8Array {
  const graph = new GraphWriter(source);
  const { spec } = source;
  let x = ROWS;
  for (const layer of networkLayers(spec)) {
    if (layer.kind !== 'conv' || !layer.name.startsWith('fc')) continue;
    const inputs = [x, graph.weightMatrix(layer), graph.bias(layer)];
    if (layer.relu) x = graph.add('Relu', [graph.add('Gemm', inputs, { transB: { int: 1 } })]);
    else graph.named(SCORES, 'Gemm', inputs, { transB: { int: 1 } });
  }
  return encodeModel({
    name: `${spec.network}, fully connected`,
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: [{ name: ROWS, element: 'float32', dims: ['rows', 'inputs'] }],
    outputs: [{ name: SCORES, element: 'float32', dims: ['rows', spec.classes] }],
  });
}

/** LRN as ONNX has it: alpha is divided by the size of the window. */
export function lrnAttributes({ size, alpha, beta, k }: LrnLayer): Attributes {
  return {
    size: { int: size },
    alpha: { float: alpha * size },
    beta: { float: beta },
    bias: { float: k },
  };
}

/** A graph whose constants may be tensors of the weights file. */
class GraphWriter extends GraphBuilder {
  readonly #weightsFile: string;
  readonly #entries: ReadonlyMap<string, WeightEntry>;

  constructor(source: GraphSource) {
    super();
    this.#weightsFile = source.weightsFile;
    this.#entries = new Map(source.tensors.map((entry) => [entry.name, entry]));
  }

  /** [out, in, kernel, kernel] */
  weight(layer: ConvLayer): string {
    const { name, outChannels, inChannels, kernel } = layer;
    return this.#external(`${name}.weight`, [outChannels, inChannels, kernel, kernel]);
  }

  /** [out, in · kernel²]: the same bytes as the convolution's weight. */
  weightMatrix(layer: ConvLayer): string {
    const { name, outChannels, inChannels, kernel } = layer;
    return this.#external(`${name}.weight`, [outChannels, inChannels * kernel * kernel]);
  }

  /** [out] */
  bias(layer: ConvLayer): string {
    return this.#external(`${layer.name}.bias`, [layer.outChannels]);
  }

  /**
   * Every window of the map as a row, in the order of fc6's weights.
   * [n, c, h, w] → ROWS, [n · h' · w', c · side²], h' = h − side + 1
   */
  windows(x: string, layer: ConvLayer, side: number): void {
    const axes = this.ints('map_axes', [2, 3]);
    const newAxis = this.ints('window_axis', [2]);
    const slices: string[] = [];
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const at = `${String(row)}_${String(column)}`;
        const ends = [row, column].map((start) => (start === side - 1 ? TO_THE_END : start - side + 1));
        // [n, c, h, w] → [n, c, h', w']
        const slice = this.add('Slice', [
          x,
          this.ints(`starts_${at}`, [row, column]),
          this.ints(`ends_${at}`, ends),
          axes,
        ]);
        slices.push(this.add('Unsqueeze', [slice, newAxis]));
      }
    }
    // side² × [n, c, 1, h', w'] → [n, c, side², h', w'] → [n, h', w', c, side²]
    const stacked = this.add('Concat', slices, { axis: { int: 2 } });
    const rows = this.add('Transpose', [stacked], { perm: { ints: [0, 3, 4, 1, 2] } });
    this.named(ROWS, 'Reshape', [rows, this.ints('window_rows', [-1, layer.inChannels * side * side])]);
  }

  // Half-precision weights are widened once, when the session folds constants.
  #external(name: string, dims: readonly number[]): string {
    const entry = this.#entries.get(name);
    if (!entry) throw expected(`tensor ${name}`, 'a file without it', this.#weightsFile);
    const data = { location: this.#weightsFile, offset: entry.offset, length: entry.bytes };
    this.initializers.push({ name, dims, element: ELEMENTS[entry.dtype], data });
    return entry.dtype === 'F32' ? name : this.add('Cast', [name], { to: { int: 1 } });
  }
}
