// Calls that one connection may have at a time: those beyond wait in the client. Knows numbers only.

/** A connection. */
export class Streams {
  readonly #most: number;
  readonly #queue: (() => void)[] = [];
  #open = 0;
  #mostWaiting = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Most calls that waited at a time. */
  get mostWaiting(): number {
    return this.#mostWaiting;
  }

  /** Runs `start` once the connection has room; whoever started must `close()`. */
  open(start: () => void): void {
    if (this.#open < this.#most) {
      this.#open++;
      start();
    } else {
      this.#queue.push(start);
      this.#mostWaiting = Math.max(this.#mostWaiting, this.#queue.length);
    }
  }

  close(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#open--;
  }
}
