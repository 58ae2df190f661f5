// An ONNX graph as a VGG network: the operators that the photo passes, from the graph's input on, whatever they
// are called. Knows ONNX's operators and their defaults; moves no numbers, executes nothing.

import { expected } from '../../../vgg/index.ts';
import type { FileBytes } from '../formats/file-bytes.ts';
import { type OnnxModel, type OnnxNode, readOnnxModel } from '../formats/onnx-model.ts';
import {
  CAFFE_PREPROCESSING,
  TORCH_PREPROCESSING,
  type BatchNorm,
  type Release,
  type StoredTensor,
} from '../release.ts';
import { tensorsOf } from '../layers.ts';
import { Chain, type Geometry, type Weights } from './chain.ts';

// Exporters of the Oxford weights: Caffe2's are converted from Caffe, Keras's too.
const CAFFE_PRODUCERS = /^(onnx-caffe2|tf2onnx|keras2onnx)/;

/**
 * Opens an .onnx file and the data files beside it; owns the file from then on.
 *
 * @throws VggError INVALID_ARGUMENT if it is no VGG network, naming operator and node
 */
export async function openOnnx(file: FileBytes): Promise<Release> {
  const model = await readOnnxModel(file);
  try {
    const walk = new Walk(model, file.path);
    walk.walk();
    const { layers, network } = walk.chain.end(file.path);
    const used = new Set(tensorsOf(layers).map(({ name }) => name));
    return {
      layout: `ONNX graph${model.producer === '' ? '' : ` of ${model.producer}`}`,
      ...(network && { network }),
      layers,
      flatten: walk.flatten,
      preprocessing: CAFFE_PRODUCERS.test(model.producer) ? CAFFE_PREPROCESSING : TORCH_PREPROCESSING,
      // What the photo's path does not pass is no part of the network: shapes, ratios of dropout.
      ignored: [...model.tensors.values()].filter(({ name }) => !used.has(name)),
      close: () => model.close(),
    };
  } catch (error) {
    await model.close();
    throw error;
  }
}

// Operators that only look at shapes: what feeds a Reshape's second input.
const SHAPES = new Set(['Shape', 'Size']);
const NOTHING_AT_INFERENCE = new Set(['Identity', 'Dropout', 'Cast']);
const FLATTENING = new Set(['Flatten', 'Reshape', 'Squeeze', 'Unsqueeze']);

class Walk {
  readonly chain = new Chain();
  flatten: Release['flatten'] = 'CHW';
  readonly #model: OnnxModel;
  readonly #path: string;
  readonly #consumers = new Map<string, OnnxNode[]>();
  readonly #producers = new Map<string, OnnxNode>();
  // Where channels are, between Transposes of exporters whose maps are [n, height, width, channels].
  #channelsLast = false;

  constructor(model: OnnxModel, path: string) {
    this.#model = model;
    this.#path = path;
    for (const node of model.nodes) {
      for (const input of new Set(node.inputs)) {
        const consumers = this.#consumers.get(input);
        if (consumers) consumers.push(node);
        else this.#consumers.set(input, [node]);
      }
      for (const output of node.outputs) this.#producers.set(output, node);
    }
  }

  walk(): void {
    const [input, ...more] = this.#model.inputs;
    if (!input || more.length > 0) {
      const came = this.#model.inputs.map(({ name }) => name).join(', ');
      throw expected('a graph with one input, the photo', came, this.#path);
    }
    const passed = new Set<OnnxNode>();
    for (let value = input.name; ;) {
      const consumers = (this.#consumers.get(value) ?? []).filter(({ op }) => !SHAPES.has(op));
      const [node, branch] = consumers;
      if (!node) return;
      if (branch) {
        const names = consumers.map(({ op, name }) => `${op} ${name}`).join(' and ');
        throw this.chain.refuse(node.name, `a branch: ${value} feeds ${names}`);
      }
      if (passed.has(node)) throw this.chain.refuse(node.name, 'a cycle');
      passed.add(node);
      this.#step(node, value);
      value = node.outputs[0] ?? '';
    }
  }

  #step(node: OnnxNode, value: string): void {
    const { op, name, inputs } = node;
    const { chain } = this;
    if (op !== 'Add' && inputs[0] !== value) throw chain.refuse(name, `${op} whose first input is not the photo's`);
    if (NOTHING_AT_INFERENCE.has(op)) return;
    if (FLATTENING.has(op)) {
      if (!chain.flat) throw chain.refuse(name, op);
      if (this.#channelsLast) this.flatten = 'HWC';
      this.#channelsLast = false;
      return;
    }
    switch (op) {
      case 'Conv':
        chain.convolution(name, this.#weights(node, 'OIHW'), this.#geometry(node));
        return;
      case 'BatchNormalization':
        chain.batchNorm(name, this.#batchNorm(node));
        return;
      case 'Relu':
        chain.relu(name);
        return;
      case 'MaxPool':
        chain.pool(name, this.#geometry(node));
        return;
      case 'LRN': {
        const size = int(node, 'size') ?? 0;
        chain.lrn(name, {
          size,
          // ONNX divides its alpha by the size.
          alpha: (float(node, 'alpha') ?? 1e-4) / size,
          beta: float(node, 'beta') ?? 0.75,
          k: float(node, 'bias') ?? 1,
        });
        return;
      }
      case 'AveragePool':
      case 'GlobalAveragePool':
        this.#averagePool(node);
        return;
      case 'Gemm': {
        const plain = (int(node, 'transA') ?? 0) === 0 && (float(node, 'alpha') ?? 1) === 1 && (float(node, 'beta') ?? 1) === 1;
        if (!plain) throw chain.refuse(name, 'Gemm with transA, alpha or beta');
        chain.connected(name, this.#weights(node, int(node, 'transB') === 1 ? 'OI' : 'IO'));
        return;
      }
      case 'MatMul':
        chain.connected(name, this.#weights(node, 'IO'));
        return;
      case 'Add': {
        const other = inputs.find((each) => each !== value) ?? value;
        const bias = this.#constant(other);
        if (!bias) throw chain.refuse(name, `Add of ${value} and ${other}, a branch`);
        chain.bias(name, vector(bias.tensor));
        return;
      }
      case 'Transpose':
        this.#transpose(node);
        return;
      case 'Softmax':
        if (!chain.complete) throw chain.refuse(name, op);
        return;
      default:
        throw chain.refuse(name, `operator ${op}`);
    }
  }

  // Averages that change nothing on a map of VGG's own size.
  #averagePool(node: OnnxNode): void {
    const { op, name } = node;
    if (op === 'AveragePool') {
      const { kernel, strides, pads } = this.#geometry(node);
      if (kernel?.every((side) => side === 1) && strides?.every((side) => side === 1) && (pads === 'same' || pads?.every((side) => side === 0))) return;
      throw this.chain.refuse(name, `AveragePool of kernel ${String(kernel)}`);
    }
    const [, , height, width] = this.#model.inputs[0]?.shape ?? [];
    if (this.chain.complete || (this.chain.flat && height === 32 && width === 32)) return;
    throw this.chain.refuse(name, 'GlobalAveragePool of a map that is not 1×1');
  }

  #transpose(node: OnnxNode): void {
    const perm = ints(node, 'perm')?.join(' ');
    if (perm === '0 3 1 2' && this.chain.empty && !this.#channelsLast) return;
    if (perm === '0 2 3 1' && this.chain.flat && !this.#channelsLast) this.#channelsLast = true;
    else throw this.chain.refuse(node.name, `Transpose of axes ${perm ?? 'reversed'}`);
  }

  #geometry(node: OnnxNode): Geometry {
    const kernel = ints(node, 'kernel_shape');
    const auto = node.attributes.get('auto_pad')?.text ?? 'NOTSET';
    const dilations = ints(node, 'dilations');
    return {
      ...(kernel && { kernel }),
      pads: auto.startsWith('SAME') ? 'same' : auto === 'VALID' ? [0] : (ints(node, 'pads') ?? [0]),
      strides: ints(node, 'strides') ?? [1],
      ...(dilations && { dilations }),
      group: int(node, 'group') ?? 1,
    };
  }

  #weights(node: OnnxNode, axes: 'OIHW' | 'OI' | 'IO'): Weights {
    const [, weightName = '', biasName = ''] = node.inputs;
    const weight = this.#required(node, weightName);
    const turned = weight.turned && axes !== 'OIHW';
    if (weight.turned && !turned) throw this.chain.refuse(node.name, 'Conv of transposed weights');
    const bias = biasName === '' ? undefined : this.#required(node, biasName).tensor;
    return {
      weight: weight.tensor,
      axes: turned ? (axes === 'OI' ? 'IO' : 'OI') : axes,
      ...(bias && { bias: vector(bias) }),
    };
  }

  #batchNorm(node: OnnxNode): BatchNorm {
    const [, ...names] = node.inputs;
    const [scale, shift, mean, variance] = names.map((each) => vector(this.#required(node, each).tensor));
    if (!scale || !shift || !mean || !variance) {
      throw this.chain.refuse(node.name, 'BatchNormalization without running statistics');
    }
    return { scale, shift, mean, variance, epsilon: float(node, 'epsilon') ?? 1e-5 };
  }

  #required({ op, name }: OnnxNode, input: string): { tensor: StoredTensor; turned: boolean } {
    const constant = this.#constant(input);
    if (constant) return constant;
    const producer = this.#producers.get(input);
    throw this.chain.refuse(name, `${op} whose weights ${input} are ${producer ? `computed by ${producer.op}` : 'missing'}`);
  }

  // An initializer, or what Constant, Identity and Transpose make of one.
  #constant(name: string): { tensor: StoredTensor; turned: boolean } | undefined {
    let turned = false;
    // As many steps as there are nodes, lest a cycle never end.
    for (let steps = 0; steps <= this.#model.nodes.length; steps++) {
      const tensor = this.#model.tensors.get(name);
      if (tensor) return { tensor, turned };
      const node = this.#producers.get(name);
      const value = node?.op === 'Constant' ? node.attributes.get('value')?.tensor : undefined;
      if (value) return { tensor: value, turned };
      const perm = node?.op === 'Transpose' ? (ints(node, 'perm') ?? [1, 0]).join(' ') : undefined;
      if (perm === '1 0') turned = !turned;
      else if (node?.op !== 'Identity') return undefined;
      name = node?.inputs[0] ?? '';
    }
    return undefined;
  }
}

function int({ attributes }: OnnxNode, name: string): number | undefined {
  return attributes.get(name)?.int;
}

function ints({ attributes }: OnnxNode, name: string): readonly number[] | undefined {
  return attributes.get(name)?.ints;
}

function float({ attributes }: OnnxNode, name: string): number | undefined {
  return attributes.get(name)?.float;
}

// Biases may have ones in front, to be added to [n, classes].
function vector(tensor: StoredTensor): StoredTensor {
  const { shape } = tensor;
  if (shape.length === 1) return tensor;
  if (shape.length === 0 || shape.slice(0, -1).some((side) => side !== 1)) {
    throw expected('a vector', shape, tensor.name);
  }
  return { ...tensor, shape: shape.slice(-1) };
}
