// The numbers that training changes: by name, on the device, replaced as a whole. Knows tensors and shapes of a
// network's training form; not how they change.
//
// Convolutions are [h, w, in, out]; fc6 is a matrix [h · w · in, out] over a map flattened in that order.
// A convolution with batch normalisation has no bias: normalising takes away any constant, so a bias would have
// the gradient 0 and all that it could do is what the shift does. Exported models have a bias on every layer.

import type { Tensor } from '@tensorflow/tfjs-node-gpu';
import type { TensorFlow } from '../../host/tensorflow/library.ts';
import { elements, expected, networkLayers, type NetworkSpec } from '../../../vgg/index.ts';

/** A tensor of the training form. */
export interface VariableShape {
  /** `conv1_1.weight`, `.bias`, or with batch normalisation `.scale`, `.shift`, `.mean`, `.variance`. */
  name: string;
  /** conv1_1 … fc8. */
  layer: string;
  role: 'weight' | 'bias' | 'scale' | 'shift' | 'mean' | 'variance';
  shape: number[];
  /** Whether it is learnt by gradient; running statistics are not. */
  trained: boolean;
}

/** The tensors of a network's training form, in layer order. */
export function variableShapes(spec: NetworkSpec): VariableShape[] {
  return networkLayers(spec).flatMap((layer): VariableShape[] => {
    if (layer.kind !== 'conv') return [];
    const { name, kernel, inChannels, outChannels, batchNorm } = layer;
    const body = !name.startsWith('fc');
    const weight = body
      ? [kernel, kernel, inChannels, outChannels]
      : [kernel * kernel * inChannels, outChannels];
    const vectors = batchNorm ? (['scale', 'shift', 'mean', 'variance'] as const) : (['bias'] as const);
    return [
      { name: `${name}.weight`, layer: name, role: 'weight', shape: weight, trained: true },
      ...vectors.map((role) => ({
        ...{ name: `${name}.${role}`, layer: name, role, shape: [outChannels] },
        trained: role !== 'mean' && role !== 'variance',
      })),
    ];
  });
}

/** Tensors by name. Whoever sets one gives it away. */
export class Variables {
  readonly #tf: TensorFlow;
  readonly #tensors = new Map<string, Tensor>();

  constructor(tf: TensorFlow) {
    this.#tf = tf;
  }

  /** Names, in the order in which they were first set. */
  names(): string[] {
    return [...this.#tensors.keys()];
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** The tensor itself: until it is set anew, and not to be disposed of. */
  get(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new Error(`No variable ${name}`);
    return tensor;
  }

  /** Takes the tensor over and disposes of the one it replaces. */
  set(name: string, tensor: Tensor): void {
    this.#tensors.get(name)?.dispose();
    this.#tensors.set(name, this.#tf.keep(tensor));
  }

  /** Sets a variable to one that is there, as it is now: tensors never change, so nothing is copied. */
  alias(name: string, of: string): void {
    this.set(name, this.#tf.clone(this.get(of)));
  }

  /** Values in row-major order, a copy. */
  read(name: string): Float32Array {
    return Float32Array.from(this.get(name).dataSync());
  }

  /** Sets all values, in row-major order; they are copied. @throws VggError if there are not as many */
  write(name: string, values: Float32Array): void {
    const { shape } = this.get(name);
    if (values.length !== elements(shape))
      throw expected(`values of shape ${JSON.stringify(shape)}`, values.length, name);
    // The library shares an array's memory where it can.
    this.set(name, this.#tf.tensor(Float32Array.from(values), shape, 'float32'));
  }

  dispose(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }
}
