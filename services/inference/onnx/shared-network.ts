// A model's convolutions in the form that shares what views have in common, as one session. Knows the graph's inputs;
// neither how plans are made nor how a layer is computed.

import { InferenceSession, Tensor } from 'onnxruntime-node';
import { networkLayers } from '../../../vgg/networks.ts';
import type { SharedPlan } from '../../../vgg/sharing/plan.ts';
import type { Cut, ModelSource } from '../worker/messages.ts';
import type { OwnScoreMap } from '../worker/score-maps.ts';
import { rowReads, scoreMapsOf, SharedPlans } from '../worker/shared-plans.ts';
import { stackPlanes } from '../worker/stack.ts';
import { pixelFilters, productFilters, winogradFilters } from '../worker/tiles.ts';
import { ROWS } from './graph.ts';
import { biasOf, filtersOf, PLANE, readsOf, readsPixels, writeSharedBody } from './shared-graph.ts';

/** What a shared network is made from. */
export interface SharedNetworkParts {
  source: ModelSource;
  /** A tensor's float32 values by canonical name. */
  weights: (name: string) => Float32Array;
  /** fc6 to fc8: what fc6 reads → class scores. */
  head: (rows: Tensor) => Promise<Float32Array>;
  options: InferenceSession.SessionOptions;
}

/** One model. */
export class SharedNetwork {
  readonly #source: ModelSource;
  readonly #head: SharedNetworkParts['head'];
  readonly #session: InferenceSession;
  readonly #plans: SharedPlans;
  readonly #learned: Record<string, Tensor> = {};

  /** Opens the session and transforms the weights. */
  static async open(parts: SharedNetworkParts): Promise<SharedNetwork> {
    const { spec, mean } = parts.source;
    return new SharedNetwork(
      parts,
      await InferenceSession.create(writeSharedBody(spec, mean), parts.options),
    );
  }

  private constructor({ source, weights, head }: SharedNetworkParts, session: InferenceSession) {
    this.#source = source;
    this.#head = head;
    this.#session = session;
    this.#plans = new SharedPlans(source.spec);
    for (const layer of networkLayers(source.spec)) {
      if (layer.kind !== 'conv' || layer.name.startsWith('fc')) continue;
      const { name, kernel } = layer;
      const bias = weights(`${name}.bias`);
      const formOf = readsPixels(layer) ? pixelFilters : kernel > 1 ? winogradFilters : productFilters;
      const { values, shape } = formOf(layer, weights(`${name}.weight`), bias);
      this.#learned[filtersOf(layer)] = new Tensor('float32', values, shape);
      // Pixels bring it themselves.
      if (formOf !== pixelFilters) this.#learned[biasOf(layer)] = new Tensor('float32', bias, [bias.length]);
    }
  }

  /** Class scores of views, all of planes of one size, in their order. */
  async score(cuts: readonly Cut[]): Promise<OwnScoreMap[]> {
    if (cuts.length === 0) return [];
    const { width, height, rgb8, views } = stackPlanes(cuts);
    const plan = this.#plans.of({ width, height }, views);
    const pixels = new Tensor('uint8', rgb8, [width * height, 3]);
    const outputs = await this.#session.run({ [PLANE]: pixels, ...readsFeeds(plan), ...this.#learned });
    const scores = await this.#head(outputs[ROWS] as Tensor);
    return scoreMapsOf(plan, scores, this.#source.spec.classes);
  }

  /** Closes the session. */
  async release(): Promise<void> {
    await this.#session.release();
  }
}

// What each layer reads: [strips, places, tiles], or [strips, rows, places].
function readsFeeds(plan: SharedPlan): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const step of plan.steps) {
    if (step.kind === 'pointwise') continue;
    const { count, size, reads } = step.strips;
    const places = reads.length / (count * size);
    const dims = step.kind === 'tiles' ? [count, places, size] : [count, size, places];
    feeds[readsOf(step.layer)] = new Tensor('int32', reads, dims);
  }
  const { rows, reads } = rowReads(plan);
  feeds[readsOf({ name: 'fc6' })] = new Tensor('int32', reads, [rows, reads.length / rows]);
  return feeds;
}
