// From a plane and its views to scores: checks, the engine's plan, the batcher's queue.
// Knows neither gRPC nor where views come from.

import { VggError, expected } from '../../vgg/errors.ts';
import { meanColour } from '../../vgg/pack.ts';
import type { Rgb, View } from '../../vgg/views.ts';
import type { Batcher, Job, Rank } from './batcher.ts';
import type { EngineModel, PlanePixels, Unit, UnitScores, Wanted } from './engine.ts';

/** A plane as it arrived. */
export interface ArrivedPlane {
  width: number;
  height: number;
  /** height × width × 3 bytes. */
  rgb8: Uint8Array;
  /** The mean that the sender assumes; undefined: the model's. */
  mean: Rgb | undefined;
}

/** The batcher of this service. */
export type ScoreBatcher = Batcher<Unit, UnitScores>;

/** What a call asks for. */
export interface ScoreCall {
  model: EngineModel;
  wanted: Wanted;
  rank: Rank;
  /** Milliseconds, on the batcher's clock. */
  deadline: number;
  signal: AbortSignal;
  /** Views that will come, 0 if unknown. */
  reserve: number;
}

/** Bounds of one call, and of all calls together. */
export interface ScoreLimits {
  /** Most views of a call. */
  viewsPerCall: number;
  /** Most bytes of planes that are held for all calls. */
  planeBytes: number;
}

/** Takes calls; each is a job of the batcher whose planes are counted. */
export class Scoring {
  readonly #batcher: ScoreBatcher;
  readonly #limits: ScoreLimits;
  #planeBytes = 0;

  constructor(batcher: ScoreBatcher, limits: ScoreLimits) {
    this.#batcher = batcher;
    this.#limits = limits;
  }

  /** Bytes of planes that are held. */
  get planeBytes(): number {
    return this.#planeBytes;
  }

  /** @throws VggError RESOURCE_EXHAUSTED if there is no room */
  open(call: ScoreCall): ScoreJob {
    if (call.reserve > this.#limits.viewsPerCall) throw this.#tooManyViews(call.reserve);
    const job = this.#batcher.open({ target: call.model, ...call });
    const seen = new Set<number>();
    let views = 0;
    let bytes = 0;
    return {
      job,
      add: (plane, planeViews) => {
        views += planeViews.length;
        if (views > this.#limits.viewsPerCall) throw this.#tooManyViews(views);
        for (const [place, { index }] of planeViews.entries()) {
          if (seen.has(index)) throw expected('each index once', index, `views[${String(place)}].index`);
          seen.add(index);
        }
        checkMean(plane.mean, call.model);
        const { planeBytes } = this.#limits;
        if (plane.rgb8.length > planeBytes) {
          throw expected(
            `a plane of at most ${String(planeBytes)} bytes`,
            plane.rgb8.length,
            'rgb8',
            'TOO_LARGE',
          );
        }
        if (this.#planeBytes + plane.rgb8.length > planeBytes) {
          throw new VggError(
            'RESOURCE_EXHAUSTED',
            `Expected room for ${String(plane.rgb8.length)} bytes of planes but ${String(this.#planeBytes)} of ${String(planeBytes)} are held`,
            { retryAfterMs: 1000 },
          );
        }
        const units = call.model.plan(shared(plane), planeViews, call.wanted);
        this.#planeBytes += plane.rgb8.length;
        bytes += plane.rgb8.length;
        job.add(units);
      },
      end: () => {
        if (views === 0) throw expected('at least one view', 0, 'views');
        job.end();
      },
      release: () => {
        this.#planeBytes -= bytes;
        bytes = 0;
        job.fail(new VggError('CANCELLED', 'Call ended'));
      },
    };
  }

  #tooManyViews(views: number): VggError {
    return expected(`1 to ${String(this.#limits.viewsPerCall)} views in a call`, views, 'views');
  }
}

/** One call under way. */
export interface ScoreJob {
  /** Its answers. */
  readonly job: Job<Unit, UnitScores>;
  /** @throws VggError INVALID_ARGUMENT naming what is wrong with the plane or its views; RESOURCE_EXHAUSTED */
  add(plane: ArrivedPlane, views: readonly View[]): void;
  /** Says that no more planes come. @throws VggError INVALID_ARGUMENT if none came */
  end(): void;
  /** Frees what the call holds. Must be called, whatever happened. */
  release(): void;
}

// The one copy of a plane: from the message, whose buffer is shared with others, to where workers read it.
function shared({ width, height, rgb8 }: ArrivedPlane): PlanePixels {
  const pixels = new Uint8Array(new SharedArrayBuffer(rgb8.length));
  pixels.set(rgb8);
  return { width, height, rgb8: pixels };
}

// A plane that was made for another model gives a wrong answer, not an error: so it is compared.
function checkMean(mean: Rgb | undefined, { model }: EngineModel): void {
  if (!mean) return;
  const own = meanColour(model.json.mean);
  for (const channel of ['red', 'green', 'blue'] as const) {
    if (!(Math.abs(mean[channel] - own[channel]) <= 1e-3)) {
      throw expected(
        `mean ${channel} ${String(own[channel])} of model ${model.name}`,
        mean[channel],
        `mean.${channel}`,
      );
    }
  }
}
