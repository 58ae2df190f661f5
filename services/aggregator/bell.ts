// Tells one waiter that something happened since it last asked, however often.

/** Rung by any number, waited for by one. */
export class Bell {
  #rung = false;
  #resolve: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#resolve?.();
  }

  /** Resolves when it is rung, at once if it was since this was last asked. */
  async rung(): Promise<void> {
    if (!this.#rung) await new Promise<void>((resolve) => (this.#resolve = resolve));
    this.#rung = false;
  }
}
