// How much is asked at once, so that the services' queues stay full and never overflow. Knows amounts.

/** An amount that is taken in turns and given back. */
export class Budget {
  readonly #whole: number;
  #left: number;
  readonly #waiting: { amount: number; go: () => void }[] = [];

  /** @param whole what there is, ≥ 1 */
  constructor(whole: number) {
    this.#whole = whole;
    this.#left = whole;
  }

  /** Does the work once its amount is there, first come, first served; more than there is counts as all of it. */
  async spend<Result>(amount: number, work: () => Promise<Result>): Promise<Result> {
    const share = Math.min(amount, this.#whole);
    await new Promise<void>((go) => {
      this.#waiting.push({ amount: share, go });
      this.#serve();
    });
    try {
      return await work();
    } finally {
      this.#left += share;
      this.#serve();
    }
  }

  #serve(): void {
    for (let next = this.#waiting[0]; next && next.amount <= this.#left; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#left -= next.amount;
      next.go();
    }
  }
}
