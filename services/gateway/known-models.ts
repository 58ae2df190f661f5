// The models as inference last said they were, for while it has no replica. Knows what was said and when; not why nobody
// is there.
//
// Models do not change at zero: who opens a page is shown them at once, and no GPU is started for a look. Only where
// nothing was ever said is a replica needed to say it; that is counted, for whoever scales inference, and the client is
// told to come back.

import type { Model } from '../../sdk/index.ts';
import { asVggError, VggError } from '../../vgg/errors.ts';

/** What is told, and what counts. */
export interface KnownModelsOptions {
  /** Somebody asked what only a replica can say. */
  onAwaited: () => void;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** Something said of models. */
export interface Said<What> {
  what: What;
  /** Seconds since it was said, where nobody can be asked now. */
  ageS: number | undefined;
}

// A start takes minutes; a client that asks more often than this learns nothing.
const COME_BACK_MS = 10_000;

/** Remembers the models of one installation. */
export class KnownModels {
  readonly #options: KnownModelsOptions;
  #last: { models: readonly Model[]; at: number } | undefined;

  constructor(options: KnownModelsOptions) {
    this.#options = options;
  }

  /** All models. @throws VggError as `ask`; UNAVAILABLE with the time to come back after, if nothing is known */
  async all(ask: () => Promise<Model[]>): Promise<Said<readonly Model[]>> {
    return this.#said(
      async () => {
        const models = await ask();
        this.#last = { models, at: this.#options.now() };
        return models;
      },
      (models) => models,
    );
  }

  /** One model by its name. @throws VggError as `ask`; UNAVAILABLE likewise, if it was not among the models */
  async one(name: string, ask: () => Promise<Model>): Promise<Said<Model>> {
    return this.#said(ask, (models) => models.find((model) => model.name === name));
  }

  async #said<What>(
    ask: () => Promise<What>,
    recall: (models: readonly Model[]) => What | undefined,
  ): Promise<Said<What>> {
    try {
      return { what: await ask(), ageS: undefined };
    } catch (thrown) {
      const error = asVggError(thrown);
      if (error.code !== 'UNAVAILABLE') throw error;
      const { onAwaited, now } = this.#options;
      const what = this.#last && recall(this.#last.models);
      if (this.#last && what !== undefined) return { what, ageS: Math.floor((now() - this.#last.at) / 1000) };
      onAwaited();
      const { message, retryAfterMs = COME_BACK_MS } = error;
      throw new VggError('UNAVAILABLE', message, { cause: error, retryAfterMs });
    }
  }
}
