// Which weights a model's name stands for, asked of the services behind and kept briefly. Knows names; no answers.

import type { Model } from '../../../sdk/index.ts';
import type { ModelIdentity } from './key.ts';

const KEPT_MS = 2000;

/** The models of one installation. */
export class Catalogue {
  readonly #list: () => Promise<Model[]>;
  readonly #now: () => number;
  #models: Promise<Model[]> | undefined;
  #until = -Infinity;

  /** @param now monotonic milliseconds */
  constructor(list: () => Promise<Model[]>, now: () => number) {
    this.#list = list;
    this.#now = now;
  }

  /**
   * The models that names mean, in that order; the default one for none.
   *
   * @returns nothing where one of them is unknown, or nobody could be asked
   */
  async identify(names: readonly string[]): Promise<ModelIdentity[] | undefined> {
    let models: Model[];
    try {
      models = await this.#listed();
    } catch {
      // Whoever computes the answer will say what is wrong.
      return undefined;
    }
    const wanted =
      names.length === 0
        ? [models.find(({ isDefault }) => isDefault)]
        : names.map((wantedName) => models.find(({ name }) => name === wantedName));
    const known = wanted.filter((model) => model !== undefined);
    return known.length === wanted.length ? known : undefined;
  }

  async #listed(): Promise<Model[]> {
    if (this.#models && this.#now() < this.#until) return this.#models;
    const models = this.#list();
    this.#models = models;
    this.#until = this.#now() + KEPT_MS;
    try {
      return await models;
    } catch (error) {
      // A failure is not kept: the next one asks again.
      if (this.#models === models) this.#models = undefined;
      throw error;
    }
  }
}
