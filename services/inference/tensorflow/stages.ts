// The stages of a shared network as TensorFlow's operations, strip by strip. Knows tensors and when they are freed;
// which strips there are the network knows. Computes in float32, whatever the head does.

import type { ConvLayer, LrnLayer, PoolLayer } from '../../../vgg/networks.ts';
import { winograd } from '../../../vgg/sharing/winograd.ts';
import type { GatheredStep, Reads, Stages, TiledStep } from '../worker/shared-network.ts';
import type { StageWeights } from '../worker/tiles.ts';
import type { DeviceTensor, Operations } from './operations.ts';

interface Learned {
  weights: DeviceTensor;
  bias: DeviceTensor;
}

/** Winograd's matrices. */
interface Transforms {
  /** [inputs, inputs] */
  toInputs: DeviceTensor;
  /** [outputs, inputs] */
  toOutputs: DeviceTensor;
}

/** One model's stages, and its weights in their form. A state is freed when it has been read. */
export class TensorFlowStages implements Stages<DeviceTensor> {
  readonly #operations: Operations;
  readonly #head: (rows: DeviceTensor) => DeviceTensor;
  readonly #learned = new Map<string, Learned>();
  readonly #transforms = new Map<number, Transforms>();

  /** @param head fc6 to fc8: [n, places · channels] → [n, classes]; frees what it is given */
  constructor(operations: Operations, head: (rows: DeviceTensor) => DeviceTensor) {
    this.#operations = operations;
    this.#head = head;
  }

  learn({ name }: ConvLayer, { values, shape }: StageWeights, bias: Float32Array): void {
    const operations = this.#operations;
    const [weights, added] = operations.scope(
      () => [operations.floats([...shape], values), operations.floats([bias.length], bias)] as const,
    );
    this.#learned.set(name, { weights: operations.keep(weights), bias: operations.keep(added) });
  }

  pixels(values: Float32Array): DeviceTensor {
    return this.#operations.floats([values.length / 3, 3], values);
  }

  tiles(state: DeviceTensor, step: TiledStep): DeviceTensor {
    const { layer, inputs, pooled, strips } = step;
    const convolved = inputs - layer.kernel + 1;
    const operations = this.#operations;
    const { weights, bias } = this.#of(layer);
    const { toInputs, toOutputs } = this.#transformsOf(inputs, layer.kernel);
    return this.#strips(state, layer.outChannels, strips, ({ reads, tiles }) => {
      const list = operations.ints([inputs * inputs, tiles], reads);
      const read = operations.consume(list, (it) => operations.gather(state, it));
      const points = this.#twice(read, toInputs, [inputs * inputs, tiles, layer.inChannels]);
      const products = operations.consume(points, (it) => operations.multiplyEach(it, weights));
      const numbers = tiles * layer.outChannels;
      let x = this.#twice(products, toOutputs, [1, convolved, convolved, numbers]);
      if (pooled) x = operations.consume(x, (it) => operations.pool(it, 'float32'));
      // Bias and ReLU leave the order of numbers as it is: behind the pool there are fewer.
      return this.#biasAndRelu(x, bias);
    });
  }

  product(state: DeviceTensor, { layer, places, strips }: GatheredStep<ConvLayer>): DeviceTensor {
    const operations = this.#operations;
    const { weights, bias } = this.#of(layer);
    return this.#strips(state, layer.outChannels, strips, (strip) => {
      const rows = this.#rows(state, strip, [strip.count, places * layer.inChannels]);
      const products = operations.consume(rows, (it) => operations.multiply(it, weights, 'float32'));
      return this.#biasAndRelu(products, bias);
    });
  }

  largest(state: DeviceTensor, { strips }: GatheredStep<PoolLayer>): DeviceTensor {
    const operations = this.#operations;
    const channels = channelsOf(state);
    return this.#strips(state, channels, strips, (strip) => {
      const windows = this.#rows(state, strip, [strip.count, 2, 2, channels]);
      const largest = operations.consume(windows, (it) => operations.pool(it, 'float32'));
      return operations.consume(largest, (it) => operations.reshape(it, [strip.count, channels], 'float32'));
    });
  }

  normalise(state: DeviceTensor, layer: LrnLayer, positions: number): DeviceTensor {
    const operations = this.#operations;
    const channels = channelsOf(state);
    // Position 0 stays zero.
    return this.#reading(state, () => {
      const map = operations.reshape(state, [1, positions, 1, channels], 'float32');
      const normalised = operations.consume(map, (it) => operations.normalise(it, layer));
      return operations.reshape(normalised, [positions, channels], 'float32');
    });
  }

  head(state: DeviceTensor, reads: Reads): Float32Array {
    const operations = this.#operations;
    const { count } = reads;
    const scores = this.#reading(state, () =>
      this.#head(this.#rows(state, reads, [count, (reads.reads.length / count) * channelsOf(state)])),
    );
    try {
      return operations.read(scores);
    } finally {
      operations.free(scores);
    }
  }

  /** Frees the weights. */
  free(): void {
    for (const { weights, bias } of this.#learned.values()) {
      this.#operations.free(weights);
      this.#operations.free(bias);
    }
    for (const { toInputs, toOutputs } of this.#transforms.values()) {
      this.#operations.free(toInputs);
      this.#operations.free(toOutputs);
    }
    this.#learned.clear();
    this.#transforms.clear();
  }

  // Position 0, and the strips after it.
  #strips<Strip>(
    state: DeviceTensor,
    channels: number,
    strips: readonly Strip[],
    rowsOf: (strip: Strip) => DeviceTensor,
  ): DeviceTensor {
    const operations = this.#operations;
    return this.#reading(state, () => {
      const zero = operations.floats([1, channels], new Float32Array(channels));
      return operations.concatenate([
        zero,
        ...strips.flatMap((strip) => operations.scope(() => [rowsOf(strip)])),
      ]);
    });
  }

  // A state is freed when it has been read, whatever comes of it.
  #reading(state: DeviceTensor, body: () => DeviceTensor): DeviceTensor {
    const operations = this.#operations;
    try {
      const [result] = operations.scope(() => [body()] as const);
      return result;
    } finally {
      operations.free(state);
    }
  }

  // What is read, in another shape.
  #rows(state: DeviceTensor, { count, reads }: Reads, shape: number[]): DeviceTensor {
    const operations = this.#operations;
    const list = operations.ints([count, reads.length / count], reads);
    const read = operations.consume(list, (it) => operations.gather(state, it));
    return operations.consume(read, (it) => operations.reshape(it, shape, 'float32'));
  }

  // A transform along rows and along columns of tiles: [inputs², …] → the shape wanted.
  #twice(x: DeviceTensor, transform: DeviceTensor, shape: number[]): DeviceTensor {
    const operations = this.#operations;
    const [outputs = 0, inputs = 0] = transform.shape;
    const numbers = x.shape.reduce((product, side) => product * side, 1) / inputs ** 2;
    const reshaped = (it: DeviceTensor, to: number[]) =>
      operations.consume(it, (each) => operations.reshape(each, to, 'float32'));
    const rows = operations.consume(reshaped(x, [inputs, inputs * numbers]), (it) =>
      operations.multiply(transform, it, 'float32'),
    );
    const columns = operations.consume(reshaped(rows, [outputs, inputs, numbers]), (it) =>
      operations.multiplyEach(transform, it),
    );
    return reshaped(columns, shape);
  }

  // → [n, channels]
  #biasAndRelu(x: DeviceTensor, bias: DeviceTensor): DeviceTensor {
    const operations = this.#operations;
    const [channels = 0] = bias.shape;
    const numbers = x.shape.reduce((product, side) => product * side, 1);
    const rows = operations.consume(x, (it) =>
      operations.reshape(it, [numbers / channels, channels], 'float32'),
    );
    const sums = operations.consume(rows, (it) => operations.addBias(it, bias, 'float32'));
    return operations.consume(sums, (it) => operations.relu(it, 'float32'));
  }

  #of({ name }: ConvLayer): Learned {
    const learned = this.#learned.get(name);
    if (!learned) throw new Error(`Expected weights of ${name}`);
    return learned;
  }

  #transformsOf(inputs: number, taps: number): Transforms {
    const known = this.#transforms.get(taps);
    if (known) return known;
    const operations = this.#operations;
    const { outputs, input, output } = winograd(inputs - taps + 1, taps);
    const kept = (shape: number[], values: Float64Array) =>
      operations.keep(operations.floats(shape, Float32Array.from(values)));
    const made = { toInputs: kept([inputs, inputs], input), toOutputs: kept([outputs, inputs], output) };
    this.#transforms.set(taps, made);
    return made;
  }
}

function channelsOf({ shape }: DeviceTensor): number {
  return shape[1] ?? 0;
}
