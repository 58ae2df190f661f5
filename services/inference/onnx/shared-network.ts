// A network in the form that shares what views have in common: a plan's steps as runs of stage graphs. Knows
// buffers, strips and the order of steps; what is shared the plan knows, how a step is computed its graph.

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { networkLayers, type ConvLayer, type LrnLayer } from '../../../vgg/networks.ts';
import { sharedPlan, type SharedPlan, type SharedStep } from '../../../vgg/sharing/plan.ts';
import { transformedFilters, winograd } from '../../../vgg/sharing/winograd.ts';
import type { View } from '../../../vgg/views.ts';
import type { PlanePixels } from '../engine.ts';
import type { ModelSource } from '../worker/messages.ts';
import { geometryKey } from '../worker/plan.ts';
import { Recent } from '../worker/recent.ts';
import {
  BIAS,
  largestStage,
  lrnStage,
  NEXT,
  productStage,
  READS,
  rowsStage,
  STATE,
  tileOutputs,
  tileStage,
  WEIGHTS,
} from './stages.ts';

/** Class scores of views: rows of [rows, classes], and where each view's lie. */
export interface SharedScores {
  readonly scores: Float32Array;
  readonly views: SharedPlan['views'];
}

// What a strip reads and writes should stay in the cores' caches.
const STRIP_BYTES = 10e6;
const LEAST_TILES = 512;
const STRIP_POSITIONS = 16_384;

// Photos of a few sizes at three scales.
const PLAN_BYTES = 2 ** 27;

function stripTiles(layer: ConvLayer): number {
  const { kernel, inChannels, outChannels } = layer;
  const places = (tileOutputs(layer) + kernel - 1) ** 2;
  return Math.max(LEAST_TILES, Math.round(STRIP_BYTES / (4 * places * (inChannels + outChannels))));
}

interface LayerWeights {
  weights: Tensor;
  bias: Tensor;
}

/** Stage graphs as sessions, for all models of a worker. */
export class StageSessions {
  readonly #options: InferenceSession.SessionOptions;
  readonly #sessions = new Map<string, Promise<InferenceSession>>();

  constructor(options: InferenceSession.SessionOptions) {
    this.#options = options;
  }

  /** The session of a graph, which is written on first use. */
  get(name: string, write: () => Uint8Array): Promise<InferenceSession> {
    let session = this.#sessions.get(name);
    if (!session) {
      session = InferenceSession.create(write(), this.#options);
      this.#sessions.set(name, session);
      // What failed for want of memory may do next time.
      session.catch(() => this.#sessions.delete(name));
    }
    return session;
  }

  async close(): Promise<void> {
    for (const session of this.#sessions.values()) await (await session).release();
    this.#sessions.clear();
  }
}

/** What a network is made of. */
export interface SharedNetworkParts {
  source: ModelSource;
  stages: StageSessions;
  /** Numbers of a tensor. */
  weights: (name: string) => Float32Array;
  /** fc6 to fc8: what fc6 reads → class scores. */
  head: (rows: Tensor) => Promise<Float32Array>;
}

/** A model's convolutions in shared form. */
export class SharedNetwork {
  readonly #source: ModelSource;
  readonly #stages: StageSessions;
  readonly #head: SharedNetworkParts['head'];
  readonly #weights = new Map<string, LayerWeights>();
  readonly #plans = new Recent<SharedPlan>(PLAN_BYTES, planBytes);
  // A step reads one and writes the other.
  readonly #buffers = [new Float32Array(), new Float32Array()];

  constructor({ source, stages, weights, head }: SharedNetworkParts) {
    this.#source = source;
    this.#stages = stages;
    this.#head = head;
    for (const layer of networkLayers(source.spec)) {
      if (layer.kind !== 'conv' || layer.name.startsWith('fc')) continue;
      const bias = weights(`${layer.name}.bias`);
      this.#weights.set(layer.name, {
        weights: stageWeights(layer, weights(`${layer.name}.weight`)),
        bias: new Tensor('float32', bias, [bias.length]),
      });
    }
  }

  /** Scores views of one plane. */
  async score(plane: PlanePixels, views: readonly View[]): Promise<SharedScores> {
    const plan = this.#plan(plane, views);
    let state = pixelState(plane, this.#source.mean);
    for (const [i, step] of plan.steps.entries()) {
      if (step.kind === 'gathered' && step.layer.name === 'fc6') {
        const scores = await this.#head(await this.#rows(state, step));
        return { scores, views: plan.views };
      }
      state = await this.#step(state, step, i % 2);
    }
    throw new Error('a network without fc6');
  }

  #plan(plane: PlanePixels, views: readonly View[]): SharedPlan {
    return this.#plans.get(geometryKey(plane, views), () =>
      sharedPlan(this.#source.spec, plane, views, { tileOutputs, stripTiles }),
    );
  }

  async #step(state: Tensor, step: SharedStep, parity: number): Promise<Tensor> {
    const { layer, positions } = step;
    const channels = layer.kind === 'conv' ? layer.outChannels : (state.dims[1] ?? 0);
    const next = this.#buffer(parity, positions * channels);
    next.fill(0, 0, channels);
    const part: Part = (first, count) => rowsOf(next, channels, first, count);
    if (step.kind === 'tiles') await this.#tiles(state, step, part);
    else if (layer.kind === 'lrn') await this.#lrn(state, layer, positions, part);
    else await this.#gathered(state, step, part);
    return part(0, positions);
  }

  async #tiles(state: Tensor, step: Extract<SharedStep, { kind: 'tiles' }>, part: Part): Promise<void> {
    const { layer, outputs, pooled, inputs, strips } = step;
    const { kernel } = layer;
    const name = `tiles ${String(inputs)} ${String(kernel)} ${String(pooled)}`;
    const session = await this.#stages.get(name, () => tileStage(inputs - kernel + 1, kernel, pooled));
    for (const { tiles, reads, first } of strips) {
      const list = new Tensor('int32', reads, [inputs * inputs, tiles]);
      await session.run(
        { [STATE]: state, [READS]: list, ...this.#learned(layer) },
        { [NEXT]: part(first, outputs * outputs * tiles) },
      );
    }
  }

  // A convolution as one product, or a pool; pointwise, each position reads itself.
  async #gathered(state: Tensor, step: Exclude<SharedStep, { kind: 'tiles' }>, part: Part): Promise<void> {
    const { layer } = step;
    const count = step.positions - 1;
    const reads = step.kind === 'gathered' ? step.reads : Int32Array.from({ length: count }, (_, i) => i + 1);
    const places = reads.length / count;
    const learned = layer.kind === 'conv' ? this.#learned(layer) : undefined;
    const session = await (learned
      ? this.#stages.get('product', productStage)
      : this.#stages.get('largest', largestStage));
    for (const [first, some] of stripsOf(count)) {
      const strip = reads.subarray(first * places, (first + some) * places);
      const list = new Tensor('int32', strip, [some, places]);
      await session.run({ [STATE]: state, [READS]: list, ...learned }, { [NEXT]: part(1 + first, some) });
    }
  }

  async #lrn(state: Tensor, layer: LrnLayer, positions: number, part: Part): Promise<void> {
    const session = await this.#stages.get(JSON.stringify(layer), () => lrnStage(layer));
    const channels = state.dims[1] ?? 0;
    for (const [first, some] of stripsOf(positions - 1)) {
      const own = rowsOf(state.data as Float32Array, channels, 1 + first, some);
      await session.run({ [STATE]: own }, { [NEXT]: part(1 + first, some) });
    }
  }

  #learned({ name }: ConvLayer): Record<string, Tensor> {
    const constant = this.#weights.get(name);
    if (!constant) throw new Error(`no weights of ${name}`);
    return { [WEIGHTS]: constant.weights, [BIAS]: constant.bias };
  }

  async #rows(
    state: Tensor,
    { reads, positions }: Extract<SharedStep, { kind: 'gathered' }>,
  ): Promise<Tensor> {
    const session = await this.#stages.get('rows', rowsStage);
    const list = new Tensor('int32', reads, [positions - 1, reads.length / (positions - 1)]);
    const output = await session.run({ [STATE]: state, [READS]: list });
    return output[NEXT] as Tensor;
  }

  // [0, length) of a buffer that is as large as any job so far needed it.
  #buffer(parity: number, length: number): Float32Array {
    let buffer = this.#buffers[parity] ?? new Float32Array();
    if (buffer.length < length) this.#buffers[parity] = buffer = new Float32Array(length);
    return buffer.subarray(0, length);
  }
}

// [first, first + count) of a matrix's rows, without a copy.
type Part = (first: number, count: number) => Tensor;

function rowsOf(matrix: Float32Array, channels: number, first: number, count: number): Tensor {
  const rows = matrix.subarray(first * channels, (first + count) * channels);
  return new Tensor('float32', rows, [count, channels]);
}

function stripsOf(count: number): [first: number, some: number][] {
  return Array.from({ length: Math.ceil(count / STRIP_POSITIONS) }, (_, i) => {
    const first = i * STRIP_POSITIONS;
    return [first, Math.min(STRIP_POSITIONS, count - first)];
  });
}

function planBytes({ steps, views }: SharedPlan): number {
  const lists = steps.flatMap((step) =>
    step.kind === 'tiles'
      ? step.strips.map(({ reads }) => reads)
      : step.kind === 'gathered'
        ? [step.reads]
        : [],
  );
  return [...lists, ...views.map(({ positions }) => positions)].reduce(
    (sum, list) => sum + list.byteLength,
    0,
  );
}

// [1 + height · width, 3]: position 0 is zero, which is the mean colour.
function pixelState({ width, height, rgb8 }: PlanePixels, mean: readonly number[]): Tensor {
  const values = new Float32Array(3 * (1 + width * height));
  const [red = 0, green = 0, blue = 0] = mean;
  for (let from = 0; from < rgb8.length; from += 3) {
    values[from + 3] = (rgb8[from] ?? 0) - red;
    values[from + 4] = (rgb8[from + 1] ?? 0) - green;
    values[from + 5] = (rgb8[from + 2] ?? 0) - blue;
  }
  return new Tensor('float32', values, [1 + width * height, 3]);
}

// [out, in, kernel, kernel] → [inputs², in, out] of Winograd's form, or [kernel² · in, out].
function stageWeights(layer: ConvLayer, weights: Float32Array): Tensor {
  const { inChannels, outChannels, kernel } = layer;
  const outputs = tileOutputs(layer);
  if (outputs > 0) {
    const form = winograd(outputs, kernel);
    const transformed = transformedFilters(form, weights, inChannels, outChannels);
    return new Tensor('float32', transformed, [form.inputs ** 2, inChannels, outChannels]);
  }
  const area = kernel * kernel;
  const turned = new Float32Array(weights.length);
  for (let out = 0, from = 0; out < outChannels; out++)
    for (let channel = 0; channel < inChannels; channel++)
      for (let place = 0; place < area; place++, from++)
        turned[(place * inChannels + channel) * outChannels + out] = weights[from] ?? 0;
  return new Tensor('float32', turned, [area * inChannels, outChannels]);
}
