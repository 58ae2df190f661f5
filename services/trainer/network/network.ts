// A network that learns: pieces of a batch go in, gradients add up, an update follows. Knows the order of layers
// and what a batch is; not where photos come from or when the rate falls.

import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import {
  elements,
  expected,
  networkLayers,
  type ConvLayer,
  type Layer,
  type NetworkSpec,
} from '../../../vgg/index.ts';
import type { TensorFlow } from '../../host/tensorflow/library.ts';
import type { TrainingBatch } from '../batches.ts';
import { randomAt } from '../../../vgg/random.ts';
import type { Recipe } from '../recipe.ts';
import { Kernels } from './kernels.ts';
import { sgdUpdate } from './optimiser.ts';
import { passConnected, passConv, passLrn, passPool, type Passed, type Surroundings } from './passes.ts';
import { Variables, variableShapes, type VariableShape } from './variables.ts';

/** Added to variances by batch normalisation. */
export const NORM_EPSILON = 1e-5;

/** The part of a recipe that a network computes by. */
export type NetworkRecipe = Pick<
  Recipe,
  'batch' | 'momentum' | 'weightDecay' | 'dropout' | 'labelSmoothing' | 'seed'
>;

/** What a piece of a batch gave. */
export interface PieceResult {
  /** Mean cross-entropy of the piece's images, label smoothing included; NaN or infinite where training diverged. */
  loss: number;
  /** Images whose largest score, with dropout, is their class's. */
  correct: number;
}

/** What a network remembers beside its tensors. JSON. */
export interface NetworkProgress {
  /** Updates so far. */
  updates: number;
  /** Layers whose batch normalisation takes its scale and shift from the next piece; see copyLayers. */
  uncalibrated: string[];
}

/**
 * A network in its training form, on TensorFlow's device. All calls compute on the thread that makes them.
 * Weights are 0 until something sets them: initialisation.ts, or a checkpoint.
 *
 * Its tensors, for checkpoints and export: the variables of variables.ts by name, `momentum/NAME` for those
 * that learn, and `best/NAME` for all after `keepBest`.
 */
export class TrainingNetwork {
  readonly spec: NetworkSpec;
  readonly variables: Variables;
  readonly #tf: TensorFlow;
  readonly #recipe: NetworkRecipe;
  readonly #kernels: Kernels;
  readonly #layers: Layer[];
  readonly #shapes: VariableShape[];
  readonly #gradients = new Map<string, Tensor>();
  #uncalibrated = new Set<string>();
  #updates = 0;
  #pieces = 0;
  #images = 0;

  /** @throws VggError INVALID_ARGUMENT if the spec is out of range */
  constructor(tf: TensorFlow, spec: NetworkSpec, recipe: NetworkRecipe) {
    this.spec = spec;
    this.#tf = tf;
    this.#recipe = recipe;
    this.#kernels = new Kernels(tf);
    this.#layers = networkLayers(spec);
    this.#shapes = variableShapes(spec);
    this.variables = new Variables(tf);
    for (const { name, shape, role } of this.#shapes)
      this.variables.set(name, role === 'scale' || role === 'variance' ? tf.ones(shape) : tf.zeros(shape));
    for (const { name, shape, trained } of this.#shapes)
      if (trained) this.variables.set(momentumOf(name), tf.zeros(shape));
  }

  /**
   * Adds the gradients of a piece of a batch, weighted by 1 / recipe.batch each image: those of all pieces make
   * the mean of the batch. Running statistics of batch normalisation move once a piece, as each piece is
   * normalised by itself. Dropout's masks are a function of seed, update, piece and layer.
   *
   * @throws VggError INVALID_ARGUMENT if sizes do not fit or a class is none
   */
  accumulate({ pixels, classes }: TrainingBatch): PieceResult {
    const { classes: outputs } = this.spec;
    const unknown = classes.find((index) => !(index >= 0 && index < outputs));
    if (unknown !== undefined) throw expected(`classes from 0 to ${String(outputs - 1)}`, unknown, 'classes');
    const images = this.#checkPixels(pixels);
    if (classes.length !== images) throw expected(`${String(images)} classes`, classes.length, 'classes');
    const tf = this.#tf;
    return tf.tidy(() => {
      // [n, h, w, 3] → [n, classes]
      const { y: logits, back } = this.#forward(this.#images4d(pixels));
      const spread = this.#recipe.labelSmoothing / outputs;
      const labels = tf.tensor1d(Int32Array.from(classes), 'int32');
      const targets = tf.oneHot(labels, outputs, 1 - this.#recipe.labelSmoothing + spread, spread, 'float32');
      const { losses, gradient } = this.#kernels.crossEntropy(logits, targets);
      const guesses = logits.argMax(1);
      back(gradient.mul(1 / this.#recipe.batch));
      this.#pieces++;
      this.#images += images;
      // Read last: a GPU computes on while it is asked.
      const guessed = guesses.dataSync();
      return {
        loss: losses.dataSync<'float32'>().reduce((sum, loss) => sum + loss, 0) / images,
        correct: classes.reduce((sum, index, i) => sum + (guessed[i] === index ? 1 : 0), 0),
      };
    });
  }

  /**
   * Updates all weights by the gradients of a whole batch and forgets them.
   *
   * @throws VggError INTERNAL unless just recipe.batch images were accumulated
   */
  apply(learningRate: number): void {
    const { batch } = this.#recipe;
    if (this.#images !== batch)
      throw expected(`${String(batch)} accumulated images`, this.#images, 'batch', 'INTERNAL');
    for (const { name, role, trained } of this.#shapes) {
      const gradient = this.#gradients.get(name);
      if (!trained || !gradient) continue;
      this.#tf.tidy(() => {
        const before = {
          value: this.variables.get(name),
          momentum: this.variables.get(momentumOf(name)),
        };
        const decays = role === 'weight';
        const after = sgdUpdate(this.#tf, before, gradient, decays, learningRate, this.#recipe);
        this.variables.set(name, after.value);
        this.variables.set(momentumOf(name), after.momentum);
      });
    }
    this.discard();
    this.#updates++;
  }

  /**
   * Scores of images in the inference form: running statistics, no dropout.
   *
   * @param pixels [n, inputSize, inputSize, 3] levels minus the mean
   * @returns [n, classes] before softmax
   */
  evaluate(pixels: Float32Array): Float32Array {
    this.#checkPixels(pixels);
    return this.#tf.tidy(() => {
      let x = this.#images4d(pixels);
      for (const layer of this.#layers) {
        const y = this.#scored(x, layer);
        x.dispose();
        x = y;
      }
      return x.dataSync<'float32'>();
    });
  }

  /** Remembers the variables as they are now, under `best/NAME`. Costs no time, but memory once they change. */
  keepBest(): void {
    for (const { name } of this.#shapes) this.variables.alias(bestOf(name), name);
  }

  /** Forgets the gradients of a batch that will not be finished. */
  discard(): void {
    for (const gradient of this.#gradients.values()) gradient.dispose();
    this.#gradients.clear();
    this.#pieces = 0;
    this.#images = 0;
  }

  /** Gradients of the batch so far, by variable. */
  gradient(name: string): Float32Array {
    const gradient = this.#gradients.get(name);
    if (!gradient) throw new Error(`No gradient of ${name}`);
    return gradient.dataSync<'float32'>().slice();
  }

  /** Between batches: what goes into a checkpoint beside the tensors. */
  get progress(): NetworkProgress {
    return { updates: this.#updates, uncalibrated: [...this.#uncalibrated] };
  }

  /** Goes on from there: gradients of an unfinished batch are forgotten. */
  set progress({ updates, uncalibrated }: NetworkProgress) {
    this.#updates = updates;
    this.#uncalibrated = new Set(uncalibrated);
    this.discard();
  }

  dispose(): void {
    this.discard();
    this.variables.dispose();
  }

  #forward(pixels: Tensor): { y: Tensor; back: (dy: Tensor) => void } {
    const passed: Passed[] = [];
    let x = pixels;
    for (const layer of this.#layers) {
      const step = this.#pass(x, layer, this.#around(layer, passed.length > 0));
      passed.push(step);
      x = step.y;
    }
    return {
      y: x,
      back: (dy) => {
        let gradient: Tensor | undefined = dy;
        for (const step of passed.reverse()) if (gradient) gradient = step.back(gradient);
      },
    };
  }

  #pass(x: Tensor, layer: Layer, around: Surroundings): Passed {
    if (layer.kind === 'pool') return passPool(x, around);
    if (layer.kind === 'lrn') return passLrn(x, layer, around);
    if (!isConnected(layer)) return passConv(x, layer, around);
    return passConnected(x, layer, around, this.#mask(x.shape[0], layer));
  }

  #around({ name: layer }: Layer, below: boolean): Surroundings {
    return {
      kernels: this.#kernels,
      below,
      variable: (role) => this.variables.get(`${layer}.${role}`),
      gradient: (role, value) => {
        this.#add(`${layer}.${role}`, value);
      },
      statistics: (mean, variance) => {
        this.variables.set(`${layer}.mean`, mean);
        this.variables.set(`${layer}.variance`, variance);
      },
      beforeNorm: (sums) => {
        if (this.#uncalibrated.delete(layer)) this.#calibrate(layer, sums);
      },
    };
  }

  // Copied weights have their model's batch normalisation folded in: with the deviation of this piece as scale
  // and its mean added to the shift, normalising leaves them what they were.
  #calibrate(layer: string, sums: Tensor): void {
    const { mean, variance } = this.#tf.moments(sums, [0, 1, 2]);
    this.variables.set(`${layer}.scale`, variance.add(NORM_EPSILON).sqrt());
    this.variables.set(`${layer}.shift`, this.variables.get(`${layer}.shift`).add(mean));
    this.variables.set(`${layer}.mean`, mean);
    this.variables.set(`${layer}.variance`, variance);
  }

  // 0 or 1 / (1 − dropout) for each output of fc6 and fc7: evaluation then needs no factor.
  #mask(images: number, { name, relu, outChannels }: ConvLayer): Tensor | undefined {
    const { dropout, seed } = this.#recipe;
    if (dropout === 0 || !relu) return undefined;
    const random = randomAt(seed, 'dropout', this.#updates, this.#pieces, name);
    const drawn = this.#kernels.uniform([images, outChannels], [random.bits() | 0, random.bits() | 0]);
    return this.#tf.tidy(() =>
      drawn
        .greaterEqual(dropout)
        .cast('float32')
        .mul(1 / (1 - dropout)),
    );
  }

  #add(name: string, value: Tensor): void {
    const before = this.#gradients.get(name);
    const sum = before ? before.add(value) : value;
    this.#gradients.set(name, this.#tf.keep(sum));
    if (before) this.#tf.dispose([before, value]);
  }

  #scored(x: Tensor, layer: Layer): Tensor {
    const kernels = this.#kernels;
    if (layer.kind === 'pool') return kernels.maxPool(x);
    if (layer.kind === 'lrn') return kernels.lrn(x, layer);
    return this.#tf.tidy(() => {
      const { weight, bias } = this.#folded(layer);
      const sums = isConnected(layer)
        ? kernels.product(x.reshape([x.shape[0], -1]), weight)
        : kernels.conv(x, weight);
      const biased = kernels.addBias(sums, bias);
      sums.dispose();
      return layer.relu ? kernels.relu(biased) : biased;
    });
  }

  // Weights with running statistics folded in, as the exported model has them.
  #folded({ name, batchNorm }: ConvLayer): { weight: Tensor; bias: Tensor } {
    const variable = (role: VariableShape['role']) => this.variables.get(`${name}.${role}`);
    const weight = variable('weight');
    if (!batchNorm) return { weight, bias: variable('bias') };
    const factor = variable('scale').div(variable('variance').add(NORM_EPSILON).sqrt());
    return { weight: weight.mul(factor), bias: variable('shift').sub(variable('mean').mul(factor)) };
  }

  #images4d(pixels: Float32Array): Tensor {
    const { inputSize } = this.spec;
    return this.#tf.tensor4d(pixels, [this.#checkPixels(pixels), inputSize, inputSize, 3], 'float32');
  }

  #checkPixels(pixels: Float32Array): number {
    const { inputSize } = this.spec;
    const images = pixels.length / elements([inputSize, inputSize, 3]);
    if (!Number.isInteger(images) || images === 0)
      throw expected(`images of ${String(inputSize)}×${String(inputSize)}×3`, pixels.length, 'pixels');
    return images;
  }
}

/** Name of a variable's momentum among a network's tensors. */
export function momentumOf(name: string): string {
  return `momentum/${name}`;
}

/** Name of a variable as `keepBest` remembered it. */
export function bestOf(name: string): string {
  return `best/${name}`;
}

function isConnected({ name }: ConvLayer): boolean {
  return name.startsWith('fc');
}
