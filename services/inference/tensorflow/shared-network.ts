// A model's convolutions in the form that shares what views have in common, as TensorFlow's operations, strip by
// strip. Knows tensors and when they are freed; not how plans are made. Computes in float32, whatever the head does.

import { networkLayers, type ConvLayer, type LrnLayer } from '../../../vgg/networks.ts';
import type { SharedStep, Strips } from '../../../vgg/sharing/plan.ts';
import { tileOutputs } from '../../../vgg/sharing/tile-sides.ts';
import { tileTransforms, winograd } from '../../../vgg/sharing/winograd.ts';
import type { Cut, ModelSource } from '../worker/messages.ts';
import type { OwnScoreMap } from '../worker/score-maps.ts';
import { rowReads, scoreMapsOf, SharedPlans } from '../worker/shared-plans.ts';
import { stackPlanes, type Stack } from '../worker/stack.ts';
import { productFilters, winogradFilters } from '../worker/tiles.ts';
import type { DeviceTensor, Operations } from './operations.ts';

/** What a shared network is made from. */
export interface SharedNetworkParts {
  operations: Operations;
  source: ModelSource;
  /** A tensor's float32 values by canonical name. */
  weights: (name: string) => Float32Array;
  /** fc6 to fc8: [n, places · channels] → [n, classes]; frees what it is given. */
  head: (rows: DeviceTensor) => DeviceTensor;
}

interface Learned {
  filters: DeviceTensor;
  bias: DeviceTensor;
}

/** Winograd's matrices of tiles. */
interface Transforms {
  /** [inputs², inputs²] */
  toInputs: DeviceTensor;
  /** [outputs², inputs²] */
  toOutputs: DeviceTensor;
}

/** One model. A state is [positions, channels], position 0 is zero, and it is freed when it has been read. */
export class SharedNetwork {
  readonly #parts: SharedNetworkParts;
  readonly #plans: SharedPlans;
  readonly #learned = new Map<string, Learned>();
  readonly #transforms = new Map<string, Transforms>();

  /** Transforms the weights and puts them on the device. */
  constructor(parts: SharedNetworkParts) {
    this.#parts = parts;
    const { source, weights } = parts;
    this.#plans = new SharedPlans(source.spec);
    try {
      for (const layer of networkLayers(source.spec))
        if (layer.kind === 'conv' && !layer.name.startsWith('fc')) this.#learn(layer, weights);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Class scores of views, all of planes of one size, in their order. */
  score(cuts: readonly Cut[]): OwnScoreMap[] {
    if (cuts.length === 0) return [];
    const stack = stackPlanes(cuts);
    const plan = this.#plans.of(stack, stack.views);
    let state = this.#pixels(stack);
    for (const step of plan.steps) {
      if (step.layer.name === 'fc6') break;
      state = this.#next(state, step);
    }
    const { rows, reads } = rowReads(plan);
    return scoreMapsOf(plan, this.#head(state, rows, reads), this.#parts.source.spec.classes);
  }

  #learn(layer: ConvLayer, weights: SharedNetworkParts['weights']): void {
    const { operations } = this.#parts;
    const formOf = tileOutputs(layer) > 0 ? winogradFilters : productFilters;
    const { values, shape } = formOf(layer, weights(`${layer.name}.weight`));
    const numbers = weights(`${layer.name}.bias`);
    const [filters, bias] = operations.scope(
      () => [operations.floats([...shape], values), operations.floats([numbers.length], numbers)] as const,
    );
    this.#learned.set(layer.name, { filters: operations.keep(filters), bias: operations.keep(bias) });
  }

  // Position 0 is zero, which is the mean colour.
  #pixels({ width, height, rgb8 }: Stack): DeviceTensor {
    const values = new Float32Array(3 * (1 + width * height));
    const [red, green, blue] = this.#parts.source.mean;
    for (let from = 0; from < rgb8.length; from += 3) {
      values[from + 3] = (rgb8[from] ?? 0) - red;
      values[from + 4] = (rgb8[from + 1] ?? 0) - green;
      values[from + 5] = (rgb8[from + 2] ?? 0) - blue;
    }
    return this.#parts.operations.floats([values.length / 3, 3], values);
  }

  #next(state: DeviceTensor, step: SharedStep): DeviceTensor {
    if (step.kind === 'tiles') return this.#tiles(state, step);
    const { layer } = step;
    if (layer.kind === 'lrn') return this.#normalise(state, layer);
    if (step.kind === 'gathered') return this.#largest(state, step.strips);
    return this.#pointwise(state, step.layer as ConvLayer);
  }

  // A convolution by Winograd's form, and the pool after it if there is one, bias and ReLU.
  #tiles(state: DeviceTensor, step: Extract<SharedStep, { kind: 'tiles' }>): DeviceTensor {
    const { layer, inputs, pooled, strips } = step;
    const { operations } = this.#parts;
    const { filters, bias } = this.#of(layer);
    const { toInputs, toOutputs } = this.#transformsOf(step);
    const places = inputs * inputs;
    const tiles = strips.size;
    return this.#strips(state, strips, (reads, strip) => {
      const list = operations.ints([places, tiles], reads);
      const read = operations.consume(list, (it) => operations.gather(state, it));
      const points = this.#transformed(read, toInputs, [places, tiles, layer.inChannels]);
      const products = operations.consume(points, (it) => operations.multiplyEach(it, filters));
      // Before a pool, in groups of the four that become one.
      let x = this.#transformed(products, toOutputs, [-1, 2, 2, tiles * layer.outChannels]);
      if (pooled) x = operations.consume(x, (it) => operations.pool(it, 'float32'));
      // Bias and ReLU leave the order of numbers as it is: behind the pool there are fewer.
      const rows = this.#biasAndRelu(x, bias);
      return strip === 0 ? this.#firstZero(rows) : rows;
    });
  }

  // A pool: the largest of what is read, which of nothing is zero.
  #largest(state: DeviceTensor, strips: Strips): DeviceTensor {
    const { operations } = this.#parts;
    const channels = channelsOf(state);
    const { size } = strips;
    return this.#strips(state, strips, (reads) => {
      const windows = this.#rows(state, size, reads, [size, 2, 2, channels]);
      const largest = operations.consume(windows, (it) => operations.pool(it, 'float32'));
      return operations.consume(largest, (it) => operations.reshape(it, [size, channels], 'float32'));
    });
  }

  // A 1×1 convolution, bias and ReLU.
  #pointwise(state: DeviceTensor, layer: ConvLayer): DeviceTensor {
    const { operations } = this.#parts;
    const { filters, bias } = this.#of(layer);
    return this.#reading(state, () => {
      const products = operations.multiply(state, filters, 'float32');
      return this.#firstZero(this.#biasAndRelu(products, bias));
    });
  }

  // Local response normalisation, position by position; of zero it is zero.
  #normalise(state: DeviceTensor, layer: LrnLayer): DeviceTensor {
    const { operations } = this.#parts;
    const [positions = 0, channels = 0] = state.shape;
    return this.#reading(state, () => {
      const map = operations.reshape(state, [1, positions, 1, channels], 'float32');
      const normalised = operations.consume(map, (it) => operations.normalise(it, layer));
      return operations.reshape(normalised, [positions, channels], 'float32');
    });
  }

  #head(state: DeviceTensor, rows: number, reads: Int32Array): Float32Array {
    const { operations, head } = this.#parts;
    const inputs = (reads.length / rows) * channelsOf(state);
    const scores = this.#reading(state, () => head(this.#rows(state, rows, reads, [rows, inputs])));
    try {
      return operations.read(scores);
    } finally {
      operations.free(scores);
    }
  }

  /** Frees the weights. */
  free(): void {
    for (const { filters, bias } of this.#learned.values()) {
      this.#parts.operations.free(filters);
      this.#parts.operations.free(bias);
    }
    for (const { toInputs, toOutputs } of this.#transforms.values()) {
      this.#parts.operations.free(toInputs);
      this.#parts.operations.free(toOutputs);
    }
    this.#learned.clear();
    this.#transforms.clear();
  }

  // Strips one after the other, as the next state.
  #strips(
    state: DeviceTensor,
    { count, reads }: Strips,
    rowsOf: (reads: Int32Array, strip: number) => DeviceTensor,
  ): DeviceTensor {
    const { operations } = this.#parts;
    const each = reads.length / count;
    return this.#reading(state, () => {
      const strips = Array.from({ length: count }, (_, strip) => {
        const own = reads.subarray(strip * each, (strip + 1) * each);
        return operations.scope(() => [rowsOf(own, strip)] as const)[0];
      });
      return operations.concatenate(strips);
    });
  }

  // Position 0 is what nothing reads to: whatever was computed there is replaced by zero.
  #firstZero(rows: DeviceTensor): DeviceTensor {
    const { operations } = this.#parts;
    const channels = channelsOf(rows);
    const others = operations.consume(rows, (it) => operations.rowsFrom(it, 1));
    return operations.concatenate([operations.floats([1, channels], new Float32Array(channels)), others]);
  }

  // A state is freed when it has been read, whatever comes of it.
  #reading(state: DeviceTensor, body: () => DeviceTensor): DeviceTensor {
    const { operations } = this.#parts;
    try {
      const [result] = operations.scope(() => [body()] as const);
      return result;
    } finally {
      operations.free(state);
    }
  }

  // What is read, in another shape.
  #rows(state: DeviceTensor, count: number, reads: Int32Array, shape: number[]): DeviceTensor {
    const { operations } = this.#parts;
    const list = operations.ints([count, reads.length / count], reads);
    const read = operations.consume(list, (it) => operations.gather(state, it));
    return operations.consume(read, (it) => operations.reshape(it, shape, 'float32'));
  }

  // A transform of tiles: [places, …] → the shape wanted.
  #transformed(x: DeviceTensor, transform: DeviceTensor, shape: number[]): DeviceTensor {
    const { operations } = this.#parts;
    const [, places = 0] = transform.shape;
    const flat = operations.consume(x, (it) => operations.reshape(it, [places, -1], 'float32'));
    const product = operations.consume(flat, (it) => operations.multiply(transform, it, 'float32'));
    return operations.consume(product, (it) => operations.reshape(it, shape, 'float32'));
  }

  // → [n, channels]
  #biasAndRelu(x: DeviceTensor, bias: DeviceTensor): DeviceTensor {
    const { operations } = this.#parts;
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

  #transformsOf({ layer: { kernel }, inputs, pooled }: Extract<SharedStep, { kind: 'tiles' }>): Transforms {
    const name = `${String(kernel)} ${String(pooled)}`;
    const known = this.#transforms.get(name);
    if (known) return known;
    const { operations } = this.#parts;
    const places = inputs * inputs;
    const outputs = inputs - kernel + 1;
    const { toInputs, toOutputs } = tileTransforms(winograd(outputs, kernel), pooled);
    const kept = (rows: number, values: Float32Array) =>
      operations.keep(operations.floats([rows, places], values));
    const made = { toInputs: kept(places, toInputs), toOutputs: kept(outputs * outputs, toOutputs) };
    this.#transforms.set(name, made);
    return made;
  }
}

function channelsOf({ shape }: DeviceTensor): number {
  return shape[1] ?? 0;
}
