// TensorFlow's own kernels that training needs, forward and backward: one call each, nothing traced. Knows
// operations and their attributes; not layers. Images are [n, h, w, channels], kernels [h, w, in, out].

import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import {
  tensorFlowBinding,
  type OperationAttribute,
  type TensorFlow,
  type TensorFlowBinding,
} from '../../host/tensorflow/library.ts';
import type { LrnLayer } from '../../../vgg/networks.ts';

/** What batch normalisation leaves for its gradient. */
export interface NormSaved {
  mean: Tensor;
  variance: Tensor;
}

interface Backend {
  executeMultipleOutputs(
    name: string,
    attributes: OperationAttribute[],
    inputs: Tensor[],
    outputs: number,
  ): Tensor[];
}

const EPSILON = 1e-5;
/** Weight of a new batch in running statistics: 1 − 0.9. */
const NEW_SHARE = 0.1;

/** Kernels of one loaded library. Results belong to the caller, or to the `tidy` around the call. */
export class Kernels {
  readonly #tf: TensorFlow;
  readonly #backend: Backend;
  readonly #binding: TensorFlowBinding;
  readonly #attributes = new Map<string, OperationAttribute[]>();

  constructor(tf: TensorFlow) {
    this.#tf = tf;
    this.#backend = tf.backend() as unknown as Backend;
    this.#binding = tensorFlowBinding(tf);
  }

  /** Stride 1, zero padding that keeps height and width. */
  conv(x: Tensor, kernel: Tensor): Tensor {
    return this.#one('Conv2D', this.#convAttributes(), [x, kernel]);
  }

  /** Gradient of `conv`'s kernel. */
  convKernelGradient(x: Tensor, shape: readonly number[], dy: Tensor): Tensor {
    return this.#sized(shape, (size) =>
      this.#one('Conv2DBackpropFilter', this.#convAttributes(), [x, size, dy]),
    );
  }

  /** Gradient of `conv`'s input. */
  convInputGradient(shape: readonly number[], kernel: Tensor, dy: Tensor): Tensor {
    return this.#sized(shape, (size) =>
      this.#one('Conv2DBackpropInput', this.#convAttributes(), [size, kernel, dy]),
    );
  }

  /** [rows, in] · [in, out], either transposed first. */
  product(a: Tensor, b: Tensor, transposed: { a?: boolean; b?: boolean } = {}): Tensor {
    const attributes = this.#kept(`product ${String(transposed.a)} ${String(transposed.b)}`, () => [
      this.#bool('transpose_a', transposed.a ?? false),
      this.#bool('transpose_b', transposed.b ?? false),
    ]);
    return this.#one('MatMul', attributes, [a, b]);
  }

  /** Adds a number to each channel, the last axis. */
  addBias(x: Tensor, bias: Tensor): Tensor {
    return this.#one('BiasAdd', this.#nhwc(), [x, bias]);
  }

  /** Gradient of `addBias`'s bias: sums over all axes but the last. */
  biasGradient(dy: Tensor): Tensor {
    return this.#one('BiasAddGrad', this.#nhwc(), [dy]);
  }

  relu(x: Tensor): Tensor {
    return this.#one('Relu', [], [x]);
  }

  /** @param y result of `relu` */
  reluGradient(dy: Tensor, y: Tensor): Tensor {
    return this.#one('ReluGrad', [], [dy, y]);
  }

  /** 2×2, stride 2. */
  maxPool(x: Tensor): Tensor {
    return this.#one('MaxPool', this.#poolAttributes(), [x]);
  }

  /** Goes to the largest of the four, the first of equals. */
  maxPoolGradient(x: Tensor, y: Tensor, dy: Tensor): Tensor {
    return this.#one('MaxPoolGrad', this.#poolAttributes(), [x, y, dy]);
  }

  lrn(x: Tensor, layer: LrnLayer): Tensor {
    return this.#one('LRN', this.#lrnAttributes(layer), [x]);
  }

  lrnGradient(x: Tensor, y: Tensor, dy: Tensor, layer: LrnLayer): Tensor {
    return this.#one('LRNGrad', this.#lrnAttributes(layer), [dy, x, y]);
  }

  /**
   * Normalises each channel by the batch's own mean and biased variance, with eps 1e-5, then scales and shifts.
   * Running statistics move a tenth of the way to the batch's mean and unbiased variance, as PyTorch's do.
   */
  batchNorm(
    x: Tensor,
    { scale, shift, mean, variance }: { scale: Tensor; shift: Tensor; mean: Tensor; variance: Tensor },
  ): { y: Tensor; mean: Tensor; variance: Tensor; saved: NormSaved } {
    const inputs = [x, scale, shift, mean, variance];
    const [y, newMean, newVariance, savedMean, savedVariance, rest] = this.#several(
      'FusedBatchNormV3',
      this.#normAttributes(true),
      inputs,
      6,
    );
    if (!y || !newMean || !newVariance || !savedMean || !savedVariance)
      throw new Error('FusedBatchNormV3 has six outputs');
    rest?.dispose();
    return {
      y,
      mean: newMean,
      variance: newVariance,
      saved: { mean: savedMean, variance: savedVariance },
    };
  }

  batchNormGradient(
    x: Tensor,
    scale: Tensor,
    { mean, variance }: NormSaved,
    dy: Tensor,
  ): { dx: Tensor; scale: Tensor; shift: Tensor } {
    const rest = this.#tf.tensor1d([]);
    const [dx, dScale, dShift, ...unused] = this.#several(
      'FusedBatchNormGradV3',
      this.#normAttributes(false),
      [dy, x, scale, mean, variance, rest],
      5,
    );
    if (!dx || !dScale || !dShift) throw new Error('FusedBatchNormGradV3 has five outputs');
    this.#tf.dispose([rest, ...unused]);
    return { dx, scale: dScale, shift: dShift };
  }

  /** Cross-entropy of softmax with target probabilities: [n] losses, and their gradient by logits. */
  crossEntropy(logits: Tensor, targets: Tensor): { losses: Tensor; gradient: Tensor } {
    const [losses, gradient] = this.#several('SoftmaxCrossEntropyWithLogits', [], [logits, targets], 2);
    if (!losses || !gradient) throw new Error('SoftmaxCrossEntropyWithLogits has two outputs');
    return { losses, gradient };
  }

  /** Uniform numbers in [0, 1), the same for the same two 32-bit keys on every device (Philox 4×32). */
  uniform(shape: readonly number[], keys: readonly [number, number]): Tensor {
    const attributes = this.#kept('uniform', () => [
      this.#type('dtype', this.#binding.TF_FLOAT),
      this.#type('T', this.#binding.TF_INT32),
      this.#type('Tseed', this.#binding.TF_INT32),
    ]);
    const seed = this.#tf.tensor1d([...keys], 'int32');
    const drawn = this.#sized(shape, (size) =>
      this.#run('StatelessRandomUniform', attributes, [size, seed], 1),
    );
    seed.dispose();
    const [numbers] = drawn;
    if (!numbers) throw new Error('StatelessRandomUniform has one output');
    return numbers;
  }

  #one(name: string, attributes: OperationAttribute[], inputs: Tensor[]): Tensor {
    const [output] = this.#several(name, attributes, inputs, 1);
    if (!output) throw new Error(`${name} has one output`);
    return output;
  }

  // Every kernel but those of random numbers has the type of its numbers as an attribute T.
  #several(name: string, attributes: OperationAttribute[], inputs: Tensor[], outputs: number): Tensor[] {
    const typed = this.#kept('T', () => [this.#type('T', this.#binding.TF_FLOAT)]);
    return this.#run(name, [...typed, ...attributes], inputs, outputs);
  }

  #run(name: string, attributes: OperationAttribute[], inputs: Tensor[], outputs: number): Tensor[] {
    return this.#backend.executeMultipleOutputs(name, attributes, inputs, outputs);
  }

  #sized<Result>(shape: readonly number[], run: (size: Tensor) => Result): Result {
    const size = this.#tf.tensor1d([...shape], 'int32');
    const result = run(size);
    size.dispose();
    return result;
  }

  #convAttributes(): OperationAttribute[] {
    return this.#kept('conv', () => [
      this.#ints('strides', [1, 1, 1, 1]),
      this.#ints('dilations', [1, 1, 1, 1]),
      this.#text('padding', 'SAME'),
      this.#bool('use_cudnn_on_gpu', true),
      ...this.#nhwc(),
    ]);
  }

  #poolAttributes(): OperationAttribute[] {
    return this.#kept('pool', () => [
      this.#ints('ksize', [1, 2, 2, 1]),
      this.#ints('strides', [1, 2, 2, 1]),
      this.#text('padding', 'VALID'),
      ...this.#nhwc(),
    ]);
  }

  // TensorFlow does not divide alpha by the window either.
  #lrnAttributes({ name, size, k, alpha, beta }: LrnLayer): OperationAttribute[] {
    return this.#kept(name, () => [
      this.#ints('depth_radius', (size - 1) / 2),
      this.#float('bias', k),
      this.#float('alpha', alpha),
      this.#float('beta', beta),
    ]);
  }

  #normAttributes(forward: boolean): OperationAttribute[] {
    return this.#kept(`norm ${String(forward)}`, () => [
      this.#type('U', this.#binding.TF_FLOAT),
      this.#float('epsilon', EPSILON),
      this.#bool('is_training', true),
      ...(forward ? [this.#float('exponential_avg_factor', NEW_SHARE)] : []),
      ...this.#nhwc(),
    ]);
  }

  #nhwc(): OperationAttribute[] {
    return this.#kept('nhwc', () => [this.#text('data_format', 'NHWC')]);
  }

  #kept(key: string, make: () => OperationAttribute[]): OperationAttribute[] {
    let attributes = this.#attributes.get(key);
    if (!attributes) this.#attributes.set(key, (attributes = make()));
    return attributes;
  }

  #type(name: string, value: number): OperationAttribute {
    return { name, type: this.#binding.TF_ATTR_TYPE, value };
  }

  #bool(name: string, value: boolean): OperationAttribute {
    return { name, type: this.#binding.TF_ATTR_BOOL, value };
  }

  #float(name: string, value: number): OperationAttribute {
    return { name, type: this.#binding.TF_ATTR_FLOAT, value };
  }

  #ints(name: string, value: number | number[]): OperationAttribute {
    return { name, type: this.#binding.TF_ATTR_INT, value };
  }

  #text(name: string, value: string): OperationAttribute {
    return { name, type: this.#binding.TF_ATTR_STRING, value };
  }
}
