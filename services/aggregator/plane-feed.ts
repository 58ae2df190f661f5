// Planes as they arrive, for any number of readers, each from the first plane on: several models
// score the same planes, and a lost call is sent again.

/** A sequence that grows while it is read. */
export class PlaneFeed<Plane> {
  readonly #planes: Plane[] = [];
  #ended = false;
  #error: Error | undefined;
  #waiting: (() => void)[] = [];

  /** Appends a plane. */
  push(plane: Plane): void {
    this.#planes.push(plane);
    this.#wake();
  }

  /** Ends the sequence; with an error every reader throws it after the last plane. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#wake();
  }

  /** All planes, those to come too. */
  async *read(): AsyncGenerator<Plane> {
    for (let next = 0; ;) {
      const plane = this.#planes[next];
      if (plane !== undefined) {
        next++;
        yield plane;
      } else if (this.#ended) {
        if (this.#error) throw this.#error;
        return;
      } else {
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
