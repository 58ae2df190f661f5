// A model's convolutions in the form that shares what views have in common, as one session. Knows plans, weights and
// the graph's inputs; not how a layer is computed.

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { networkLayers, type ConvLayer } from '../../../vgg/networks.ts';
import { sharedPlan, type SharedPlan } from '../../../vgg/sharing/plan.ts';
import { transformedFilters, winograd } from '../../../vgg/sharing/winograd.ts';
import type { Size, View } from '../../../vgg/views.ts';
import type { PlanePixels } from '../engine.ts';
import type { ModelSource } from '../worker/messages.ts';
import { geometryKey } from '../worker/plan.ts';
import { Recent } from '../worker/recent.ts';
import { ROWS } from './graph.ts';
import {
  biasOf,
  filtersOf,
  isWinograd,
  PLANE,
  readsOf,
  tileOutputs,
  writeSharedBody,
} from './shared-graph.ts';

/** What fc6 reads of views: rows, and where each view's lie. */
export interface SharedRows {
  readonly rows: Tensor;
  readonly views: SharedPlan['views'];
}

// What a strip reads and writes should stay in the cores' caches, and its filters be read often enough.
const STRIP_BYTES = 4e6;
const LEAST_TILES = 256;
const STRIP_ROWS = 16_384;

// Photos of a few sizes at three scales.
const PLAN_BYTES = 2 ** 27;

function stripSize(layer: SharedLayer): number {
  if (layer.kind === 'pool') return STRIP_ROWS;
  // All in one: it is read behind the last state.
  if (layer.name === 'fc6') return Infinity;
  const outputs = tileOutputs(layer);
  if (outputs === 0) return STRIP_ROWS;
  const places = (outputs + layer.kernel - 1) ** 2;
  return Math.max(
    LEAST_TILES,
    Math.round(STRIP_BYTES / (4 * places * (layer.inChannels + layer.outChannels))),
  );
}

type SharedLayer = Parameters<Parameters<typeof sharedPlan>[3]['stripSize']>[0];

/** A plan as the graph wants it. */
interface Feeds {
  reads: Record<string, Tensor>;
  views: SharedPlan['views'];
}

/** One model. */
export class SharedNetwork {
  readonly #source: ModelSource;
  readonly #session: InferenceSession;
  readonly #learned: Record<string, Tensor> = {};
  readonly #plans = new Recent<Feeds>(PLAN_BYTES, feedBytes);

  /** @param weights numbers of a tensor */
  static async open(
    source: ModelSource,
    weights: (name: string) => Float32Array,
    options: InferenceSession.SessionOptions,
  ): Promise<SharedNetwork> {
    const session = await InferenceSession.create(writeSharedBody(source.spec, source.mean), options);
    return new SharedNetwork(source, weights, session);
  }

  private constructor(
    source: ModelSource,
    weights: (name: string) => Float32Array,
    session: InferenceSession,
  ) {
    this.#source = source;
    this.#session = session;
    for (const layer of networkLayers(source.spec)) {
      if (layer.kind !== 'conv' || layer.name.startsWith('fc')) continue;
      const bias = weights(`${layer.name}.bias`);
      this.#learned[biasOf(layer)] = new Tensor('float32', bias, [bias.length]);
      this.#learned[filtersOf(layer)] = filters(layer, weights(`${layer.name}.weight`));
    }
  }

  /** The rows of views of one plane. */
  async rows(plane: PlanePixels, views: readonly View[]): Promise<SharedRows> {
    const feeds = this.#feeds(plane, views);
    const { width, height, rgb8 } = plane;
    // Shared memory is not taken.
    const pixels = new Tensor('uint8', new Uint8Array(rgb8), [width * height, 3]);
    const outputs = await this.#session.run({ [PLANE]: pixels, ...feeds.reads, ...this.#learned });
    return { rows: outputs[ROWS] as Tensor, views: feeds.views };
  }

  async release(): Promise<void> {
    await this.#session.release();
  }

  #feeds(plane: Size, views: readonly View[]): Feeds {
    return this.#plans.get(geometryKey(plane, views), () => {
      const plan = sharedPlan(this.#source.spec, plane, views, { tileOutputs, stripSize });
      const reads: Feeds['reads'] = {};
      for (const step of plan.steps) {
        if (step.kind === 'pointwise') continue;
        const { count, size, reads: list } = step.strips;
        const places = list.length / (count * size);
        reads[readsOf(step.layer)] =
          step.layer.name === 'fc6'
            ? new Tensor('int32', list.subarray(places), [size - 1, places])
            : new Tensor('int32', list, [
                count,
                ...(step.kind === 'tiles' ? [places, size] : [size, places]),
              ]);
      }
      return { reads, views: plan.views };
    });
  }
}

function feedBytes({ reads, views }: Feeds): number {
  const lists = Object.values(reads).reduce((sum, { size }) => sum + size, 0);
  return 4 * (lists + views.reduce((sum, { positions }) => sum + positions.length, 0));
}

// [out, in, kernel, kernel] → [inputs², in, out] of Winograd's form, or [kernel² · in, out].
function filters(layer: ConvLayer, weights: Float32Array): Tensor {
  const { inChannels, outChannels, kernel } = layer;
  if (isWinograd(layer)) {
    const form = winograd(tileOutputs(layer), kernel);
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
