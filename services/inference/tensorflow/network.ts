// A network row as TensorFlow's operations, and its weights on the device.
// Knows layers and their order; does not know files, threads or views.

import { networkLayers, TOTAL_STRIDE, type ConvLayer, type NetworkSpec } from '../../../vgg/networks.ts';
import type { DeviceTensor, ElementType, Operations } from './operations.ts';

/** What a network is made from. */
export interface NetworkSource {
  spec: NetworkSpec;
  /** Subtracted from every pixel: red, green, blue. */
  mean: readonly [number, number, number];
  /** Type of weights and activations; scores are float32 whatever it is. */
  type: ElementType;
  /** A tensor's float32 values by canonical name, [out, in, kernel, kernel] or [out]. */
  weights: (name: string) => Float32Array;
}

/** What a batch gives, on the device. */
export interface BatchScores {
  /** [n, h', w', classes], before any softmax. */
  scoreMap: DeviceTensor;
  /** [n, classes]: spatial mean, then softmax. */
  meanThenSoftmax(): DeviceTensor;
  /** [n, classes]: softmax at each location, then spatial mean. */
  softmaxThenMean(): DeviceTensor;
}

interface Weights {
  /** [kernel, kernel, in, out], or [kernel² · in, out] of a fully connected layer. */
  weight: DeviceTensor;
  bias: DeviceTensor;
}

/** One network's weights, and the way through them. */
export class Network {
  readonly #operations: Operations;
  readonly #source: NetworkSource;
  readonly #mean: DeviceTensor;
  readonly #weights = new Map<string, Weights>();

  /** Puts the weights on the device. */
  constructor(operations: Operations, source: NetworkSource) {
    this.#operations = operations;
    this.#source = source;
    this.#mean = operations.keep(operations.floats([3], Float32Array.from(source.mean)));
    try {
      for (const layer of networkLayers(source.spec)) {
        if (layer.kind === 'conv') this.#weights.set(layer.name, this.#put(layer));
      }
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /**
   * Scores pixels. fc6, fc7 and fc8 are matrix products over all positions of the batch: their weights are read
   * once, not once a view.
   *
   * @param pixels [n, height, width, 3], RGB; left as it is from here on
   */
  score(pixels: Uint8Array, n: number, height: number, width: number): BatchScores {
    const operations = this.#operations;
    const { spec, type } = this.#source;
    // [n, h, w, 3] uint8 → float32 − mean
    let x = operations.consume(operations.bytes([n, height, width, 3], pixels), (it) =>
      operations.cast(it, 'uint8', 'float32'),
    );
    x = operations.consume(x, (it) => operations.subtract(it, this.#mean, 'float32'));
    x = this.#typed(x);
    const layers = networkLayers(spec);
    for (const [i, layer] of layers.entries()) {
      if (layer.kind === 'pool') {
        // After a convolution it is done already.
        if (layers[i - 1]?.kind !== 'conv') x = operations.consume(x, (it) => operations.pool(it, type));
      } else if (layer.kind === 'lrn') {
        x = this.#inFloat32(x, (it) => operations.normalise(it, layer));
      } else if (!layer.name.startsWith('fc')) {
        const { weight, bias } = this.#of(layer);
        x = operations.consume(x, (it) => operations.convolve(it, weight, type));
        // Rounding keeps the order of numbers, so the largest of a window is the same before bias and ReLU,
        // and they have a quarter to do.
        if (layers[i + 1]?.kind === 'pool') x = operations.consume(x, (it) => operations.pool(it, type));
        x = operations.consume(x, (it) => operations.addBias(it, bias, type));
        if (layer.relu) x = operations.consume(x, (it) => operations.relu(it, type));
      }
    }
    const side = spec.inputSize / TOTAL_STRIDE;
    const { shape } = x;
    const places = [n, (shape[1] ?? 0) - side + 1, (shape[2] ?? 0) - side + 1];
    const scores = this.#head(this.#windows(x, side, places));
    // [n · h' · w', classes] → [n, h', w', classes]
    const scoreMap = operations.consume(scores, (it) =>
      operations.reshape(it, [...places, spec.classes], 'float32'),
    );
    return {
      scoreMap,
      meanThenSoftmax: () => operations.softmax(operations.mean(scoreMap, [1, 2])),
      softmaxThenMean: () => operations.mean(operations.softmax(scoreMap), [1, 2]),
    };
  }

  /** fc6 to fc8: what fc6 reads, [rows, side² · channels] in the order of places, → [rows, classes]; both float32. */
  scoreRows(rows: DeviceTensor): DeviceTensor {
    return this.#head(this.#typed(rows));
  }

  /** Frees the weights. */
  free(): void {
    this.#operations.free(this.#mean);
    for (const { weight, bias } of this.#weights.values()) {
      this.#operations.free(weight);
      this.#operations.free(bias);
    }
    this.#weights.clear();
  }

  // [n, h, w, c] → [n · h' · w', side² · c]; a crop is one window, and is that already.
  #windows(x: DeviceTensor, side: number, [n = 0, h = 0, w = 0]: readonly number[]): DeviceTensor {
    const operations = this.#operations;
    const { type } = this.#source;
    const channels = x.shape[3] ?? 0;
    const all = h * w === 1 ? x : operations.consume(x, (it) => operations.windows(it, side, type));
    return operations.consume(all, (it) => operations.reshape(it, [n * h * w, side ** 2 * channels], type));
  }

  // fc6 to fc8: [rows, side² · channels] → [rows, classes] in float32.
  #head(rows: DeviceTensor): DeviceTensor {
    const operations = this.#operations;
    const { spec, type } = this.#source;
    let x = rows;
    for (const layer of networkLayers(spec)) {
      if (layer.kind !== 'conv' || !layer.name.startsWith('fc')) continue;
      const { weight, bias } = this.#of(layer);
      x = operations.consume(x, (it) => operations.multiply(it, weight, type));
      x = operations.consume(x, (it) => operations.addBias(it, bias, type));
      if (layer.relu) x = operations.consume(x, (it) => operations.relu(it, type));
    }
    return type === 'float32' ? x : operations.consume(x, (it) => operations.cast(it, type, 'float32'));
  }

  // Sums of squares are beyond half precision.
  #inFloat32(x: DeviceTensor, body: (x: DeviceTensor) => DeviceTensor): DeviceTensor {
    const operations = this.#operations;
    const { type } = this.#source;
    if (type === 'float32') return operations.consume(x, body);
    const whole = operations.consume(x, (it) => operations.cast(it, type, 'float32'));
    return this.#typed(operations.consume(whole, body));
  }

  #of(layer: ConvLayer): Weights {
    const weights = this.#weights.get(layer.name);
    if (!weights) throw new Error(`Expected weights of ${layer.name}`);
    return weights;
  }

  #put(layer: ConvLayer): Weights {
    const operations = this.#operations;
    const { name, kernel, inChannels, outChannels } = layer;
    const { weights } = this.#source;
    const [weight, bias] = operations.scope(() => {
      const given = operations.floats([outChannels, inChannels, kernel, kernel], weights(`${name}.weight`));
      // [out, in, kernel, kernel] → [kernel, kernel, in, out]
      let turned = operations.transpose(given, [2, 3, 1, 0], 'float32');
      operations.free(given);
      if (name.startsWith('fc')) {
        turned = operations.reshape(turned, [kernel ** 2 * inChannels, outChannels], 'float32');
      }
      const added = operations.floats([outChannels], weights(`${name}.bias`));
      return [this.#typed(turned), this.#typed(added)] as const;
    });
    return { weight: operations.keep(weight), bias: operations.keep(bias) };
  }

  #typed(x: DeviceTensor): DeviceTensor {
    const operations = this.#operations;
    const { type } = this.#source;
    return type === 'float32' ? x : operations.consume(x, (it) => operations.cast(it, 'float32', type));
  }
}
