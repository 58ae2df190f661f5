// A network in the form that shares what views have in common: a plan's steps in order, in strips. Knows plans and
// weights; what is shared the plan knows, how a step is computed a library.

import { networkLayers, type ConvLayer, type LrnLayer, type PoolLayer } from '../../../vgg/networks.ts';
import { sharedPlan, type SharedPlan, type SharedStep } from '../../../vgg/sharing/plan.ts';
import type { View } from '../../../vgg/views.ts';
import type { PlanePixels } from '../engine.ts';
import type { Cut, ModelSource } from './messages.ts';
import { geometryKey } from './plan.ts';
import { Recent } from './recent.ts';
import type { OwnScoreMap } from './score-maps.ts';
import { stageWeights, stripTiles, tileOutputs, type StageWeights } from './tiles.ts';

/** What a library computes of one model in shared form. A state is [positions, channels], and position 0 is zero. */
export interface Stages<State> {
  /** Takes a layer's weights; called of each convolution before fc6, before anything is computed. */
  learn(layer: ConvLayer, weights: StageWeights, bias: Float32Array): void;
  /** The first state of a job. Each state is read once, by the next call, and may be overwritten after that. */
  pixels(values: Float32Array<ArrayBuffer>): State | Promise<State>;
  /** A convolution in tiles, and the pool after it if there is one, bias and ReLU. */
  tiles(state: State, step: TiledStep): State | Promise<State>;
  /** A convolution as one product, bias and ReLU. */
  product(state: State, step: GatheredStep<ConvLayer>): State | Promise<State>;
  /** A pool: the largest of what is read. */
  largest(state: State, step: GatheredStep<PoolLayer>): State | Promise<State>;
  /** Local response normalisation, position by position. */
  normalise(state: State, layer: LrnLayer, positions: number): State | Promise<State>;
  /** fc6 to fc8: [count, classes]. */
  head(state: State, reads: Reads): Float32Array | Promise<Float32Array>;
}

/** A layer in tiles. */
export type TiledStep = Extract<SharedStep, { kind: 'tiles' }>;

/** Positions to read. */
export interface Reads {
  readonly count: number;
  /** [count × places] */
  readonly reads: Int32Array<ArrayBuffer>;
}

/** A layer whose outputs each read `places` positions. */
export interface GatheredStep<Kind> {
  readonly layer: Kind;
  readonly places: number;
  /** Of the next state, with position 0. */
  readonly positions: number;
  /** Outputs from position `first` on. */
  readonly strips: readonly (Reads & { readonly first: number })[];
}

const STRIP_POSITIONS = 16_384;

// Photos of a few sizes at three scales.
const PLAN_BYTES = 2 ** 27;

/** A model's convolutions in shared form. */
export class SharedNetwork<State> {
  readonly #source: ModelSource;
  readonly #stages: Stages<State>;
  readonly #plans = new Recent<SharedPlan>(PLAN_BYTES, planBytes);

  /** @param weights numbers of a tensor */
  constructor(source: ModelSource, stages: Stages<State>, weights: (name: string) => Float32Array) {
    this.#source = source;
    this.#stages = stages;
    for (const layer of networkLayers(source.spec)) {
      if (layer.kind !== 'conv' || layer.name.startsWith('fc')) continue;
      const bias = weights(`${layer.name}.bias`);
      stages.learn(layer, stageWeights(layer, weights(`${layer.name}.weight`)), bias);
    }
  }

  /** Class scores of views, all of one plane, in their order. */
  async score(cuts: readonly Cut[]): Promise<OwnScoreMap[]> {
    const [first] = cuts;
    if (!first) return [];
    const { plane } = first;
    const { mean, spec } = this.#source;
    const views = cuts.map(({ view }) => view);
    const plan = this.#plan(plane, views);
    let state = await this.#stages.pixels(pixelState(plane, mean));
    for (const step of plan.steps) {
      if (step.kind === 'gathered' && step.layer.name === 'fc6') {
        const { reads, positions } = step;
        const scores = await this.#stages.head(state, { count: positions - 1, reads });
        return scoreMaps(plan, scores, spec.classes);
      }
      state = await this.#next(state, step);
    }
    throw new Error('a network without fc6');
  }

  #plan(plane: PlanePixels, views: readonly View[]): SharedPlan {
    return this.#plans.get(geometryKey(plane, views), () =>
      sharedPlan(this.#source.spec, plane, views, { tileOutputs, stripTiles }),
    );
  }

  #next(state: State, step: SharedStep): State | Promise<State> {
    if (step.kind === 'tiles') return this.#stages.tiles(state, step);
    const { layer, positions } = step;
    if (layer.kind === 'lrn') return this.#stages.normalise(state, layer, positions);
    const count = positions - 1;
    // Pointwise, each position reads itself.
    const reads = step.kind === 'gathered' ? step.reads : Int32Array.from({ length: count }, (_, i) => i + 1);
    const places = reads.length / count;
    const strips = stripsOf(count).map(([first, some]) => ({
      ...{ first: 1 + first, count: some },
      reads: reads.subarray(first * places, (first + some) * places),
    }));
    return layer.kind === 'pool'
      ? this.#stages.largest(state, { layer, places, positions, strips })
      : this.#stages.product(state, { layer, places, positions, strips });
  }
}

/** Positions from 0 to `count` − 1 in strips. */
export function stripsOf(count: number): [first: number, some: number][] {
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
function pixelState(
  { width, height, rgb8 }: PlanePixels,
  mean: readonly number[],
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(3 * (1 + width * height));
  const [red = 0, green = 0, blue = 0] = mean;
  for (let from = 0; from < rgb8.length; from += 3) {
    values[from + 3] = (rgb8[from] ?? 0) - red;
    values[from + 4] = (rgb8[from + 1] ?? 0) - green;
    values[from + 5] = (rgb8[from + 2] ?? 0) - blue;
  }
  return values;
}

// [rows, classes] → each view's map.
function scoreMaps({ views }: SharedPlan, scores: Float32Array, classes: number): OwnScoreMap[] {
  return views.map(({ height, width, positions }) => {
    const values = new Float32Array(positions.length * classes);
    for (const [place, position] of positions.entries())
      values.set(scores.subarray((position - 1) * classes, position * classes), place * classes);
    return { height, width, classes, values };
  });
}
