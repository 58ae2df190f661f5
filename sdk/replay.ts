// Requests of a call that may have to be sent again: kept until the first response has come.

/** A sequence that can be read again from its start, until it is told to forget. */
export class Replay<Item> {
  readonly #source: AsyncIterator<Item> | Iterator<Item>;
  #kept: (Item | undefined)[] = [];
  #pulling: Promise<boolean> | undefined;
  #done = false;
  #failure: { error: unknown } | undefined;
  #forgetting = false;

  constructor(items: AsyncIterable<Item> | Iterable<Item>) {
    this.#source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  }

  /** All items from the first one on, unless it was told to forget before. */
  async *read(): AsyncGenerator<Item> {
    for (let i = 0; ; i++) {
      if (i >= this.#kept.length && !(await this.#pull())) return;
      const item = this.#kept[i] as Item;
      if (this.#forgetting) this.#kept[i] = undefined;
      yield item;
    }
  }

  /** Keeps nothing any more. */
  forget(): void {
    if (this.#forgetting) return;
    this.#forgetting = true;
    this.#kept = this.#kept.map(() => undefined);
  }

  /** Lets the source go. */
  close(): void {
    if (!this.#done) void Promise.resolve(this.#source.return?.()).catch(() => {});
    this.#done = true;
  }

  // A reader that was left while it waited may still be pulling: its item is the next one's.
  #pull(): Promise<boolean> {
    this.#pulling ??= this.#pullOne().finally(() => {
      this.#pulling = undefined;
    });
    return this.#pulling;
  }

  async #pullOne(): Promise<boolean> {
    if (this.#failure) throw this.#failure.error;
    if (this.#done) return false;
    try {
      const next = await this.#source.next();
      if (next.done === true) this.#done = true;
      else this.#kept.push(next.value);
    } catch (error) {
      // A source that has failed once would seem to end the next time.
      this.#failure = { error };
      throw error;
    }
    return !this.#done;
  }
}
