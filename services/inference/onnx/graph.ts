// A network row becomes an ONNX graph whose weights stay in the model's own file.
// Knows layers and operators; does not know sessions, batches or where pixels come from.

import { expected } from '../../../vgg/errors.ts';
import { networkLayers, TOTAL_STRIDE, type ConvLayer, type NetworkSpec } from '../../../vgg/networks.ts';
import type { WeightEntry } from '../worker/messages.ts';
import { encodeModel, type Attributes, type Element, type Initializer, type Node } from './model-proto.ts';

/** Input: [n, h, w, 3] uint8, RGB. */
export const PIXELS = 'pixels';
/** Output: [n, h', w', classes], before any softmax. */
export const SCORE_MAP = 'score_map';
/** Output: [n, classes], spatial mean, then softmax. */
export const MEAN_THEN_SOFTMAX = 'mean_then_softmax';
/** Output: [n, classes], softmax at each location, then spatial mean. */
export const SOFTMAX_THEN_MEAN = 'softmax_then_mean';

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
 * Writes the graph: pixels − mean, the body, then the fully connected layers as matrix products over all
 * locations of all images of the batch. As convolutions they read their weights once per image (411 MB in
 * fc6 of the paper's networks), as products once per batch.
 *
 * @returns the bytes of an .onnx model that refers to `weightsFile`
 */
export function writeGraph(source: GraphSource): Uint8Array {
  const graph = new GraphWriter(source);
  // [n, h, w, 3] uint8 → [n, 3, h, w] float32 − mean
  let x = graph.add('Cast', [PIXELS], { to: { int: 1 } });
  x = graph.add('Sub', [x, graph.floats('mean', [3], source.mean)]);
  x = graph.add('Transpose', [x], { perm: { ints: [0, 3, 1, 2] } });
  for (const layer of networkLayers(source.spec)) {
    if (layer.kind === 'pool') {
      x = graph.add('MaxPool', [x], { kernel_shape: { ints: [2, 2] }, strides: { ints: [2, 2] } });
    } else if (layer.kind === 'lrn') {
      x = graph.add('LRN', [x], {
        size: { int: layer.size },
        // ONNX divides alpha by the size of the window.
        alpha: { float: layer.alpha * layer.size },
        beta: { float: layer.beta },
        bias: { float: layer.k },
      });
    } else if (!layer.name.startsWith('fc')) {
      const pad = layer.pad;
      x = graph.add('Conv', [x, graph.weight(layer), graph.bias(layer)], {
        kernel_shape: { ints: [layer.kernel, layer.kernel] },
        pads: { ints: [pad, pad, pad, pad] },
      });
      if (layer.relu) x = graph.add('Relu', [x]);
    } else {
      if (layer.name === 'fc6') x = graph.windows(x, layer, source.spec.inputSize / TOTAL_STRIDE);
      x = graph.add('Gemm', [x, graph.weightMatrix(layer), graph.bias(layer)], { transB: { int: 1 } });
      if (layer.relu) x = graph.add('Relu', [x]);
    }
  }
  const { classes } = source.spec;
  graph.named(SCORE_MAP, 'Reshape', [x, graph.mapShape(classes)]);
  const overMap = { axes: { ints: [1, 2] }, keepdims: { int: 0 } };
  const mean = graph.add('ReduceMean', [SCORE_MAP], overMap);
  graph.named(MEAN_THEN_SOFTMAX, 'Softmax', [mean], { axis: { int: -1 } });
  const local = graph.add('Softmax', [SCORE_MAP], { axis: { int: -1 } });
  graph.named(SOFTMAX_THEN_MEAN, 'ReduceMean', [local], overMap);
  return encodeModel({
    name: source.spec.network,
    nodes: graph.nodes,
    initializers: graph.initializers,
    inputs: [{ name: PIXELS, element: 'uint8', dims: ['n', 'h', 'w', 3] }],
    outputs: [
      { name: SCORE_MAP, element: 'float32', dims: ['n', 'rows', 'columns', classes] },
      { name: MEAN_THEN_SOFTMAX, element: 'float32', dims: ['n', classes] },
      { name: SOFTMAX_THEN_MEAN, element: 'float32', dims: ['n', classes] },
    ],
  });
}

/** Collects nodes and constants, and names the values between them. */
class GraphWriter {
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];
  readonly #weightsFile: string;
  readonly #entries: ReadonlyMap<string, WeightEntry>;
  #corner = '';

  constructor(source: GraphSource) {
    this.#weightsFile = source.weightsFile;
    this.#entries = new Map(source.tensors.map((entry) => [entry.name, entry]));
  }

  /** Appends a node and returns the name of its value. */
  add(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.named(`${op}_${String(this.nodes.length)}`, op, inputs, attributes);
  }

  named(output: string, op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    this.nodes.push({ op, inputs, outputs: [output], attributes });
    return output;
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
   * [n, c, h, w] → [n · h' · w', c · side²], h' = h − side + 1
   */
  windows(x: string, layer: ConvLayer, side: number): string {
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
        if (slices.length === 0) this.#corner = slice;
        slices.push(this.add('Unsqueeze', [slice, newAxis]));
      }
    }
    // side² × [n, c, 1, h', w'] → [n, c, side², h', w'] → [n, h', w', c, side²]
    const stacked = this.add('Concat', slices, { axis: { int: 2 } });
    const rows = this.add('Transpose', [stacked], { perm: { ints: [0, 3, 4, 1, 2] } });
    return this.add('Reshape', [rows, this.ints('window_rows', [-1, layer.inChannels * side * side])]);
  }

  /** The shape [n, h', w', channels], after `windows`. */
  mapShape(channels: number): string {
    const shape = this.add('Shape', [this.#corner]);
    const sizes = this.add('Gather', [shape, this.ints('map_sizes', [0, 2, 3])], { axis: { int: 0 } });
    return this.add('Concat', [sizes, this.ints('channels', [channels])], { axis: { int: 0 } });
  }

  ints(name: string, values: readonly number[]): string {
    const data = new Uint8Array(new BigInt64Array(values.map(BigInt)).buffer);
    this.initializers.push({ name, dims: [values.length], element: 'int64', data });
    return name;
  }

  floats(name: string, dims: readonly number[], values: readonly number[]): string {
    const data = new Uint8Array(new Float32Array(values).buffer);
    this.initializers.push({ name, dims, element: 'float32', data });
    return name;
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
