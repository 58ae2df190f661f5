// Who leads while scores come in, and whether what is still to come can change that. Knows sums and weights; not
// views, models or who computes them.
//
// Every view adds weight · posterior to the sums of the classes, and no posterior is below 0 or above 1. So whatever
// the rest says, no class gains more on another than the weight that is still to come. Once the leading class is
// further ahead than that, it is the most probable class of the whole answer. No rule that must be right whatever
// comes can stop earlier: the rest might be all for the class that is second. And nothing is decided before half of
// the weight is there, because no lead is larger than the weight that made it.

// What a lead must exceed the rest by. A view that is computed again, in another batch or by itself, differs by up to
// 1e-5 in each of two classes; probabilities in float32 may exceed 1 by 1e-6; sums in float64 are off by less than
// 1e-11. With that the whole answer has the same class even if it is asked for again. It costs a view in a thousand
// answers.
const MARGIN = 3e-5;

/** Sums of what has come, in order of arrival: they decide, the answer itself is summed in view order. */
export class Standing {
  readonly #sums: Float64Array;
  #taken = 0;
  #lead = 0;

  /** @param classes length of every posterior, ≥ 1 */
  constructor(classes: number) {
    this.#sums = new Float64Array(classes);
  }

  /**
   * Adds a posterior.
   *
   * @param posterior [classes], each from 0 to 1
   * @param weight its share in the answer; over all models and views they sum to 1
   */
  add(posterior: ArrayLike<number>, weight: number): void {
    this.#taken += weight;
    let [first, second] = [0, 0];
    for (let i = 0; i < this.#sums.length; i++) {
      const sum = (this.#sums[i] ?? NaN) + weight * (posterior[i] ?? NaN);
      this.#sums[i] = sum;
      if (sum > first) [first, second] = [sum, first];
      else if (sum > second) second = sum;
    }
    this.#lead = first - second;
  }

  /** Weight that has come, from 0 to 1. */
  get taken(): number {
    return this.#taken;
  }

  /** By how much the first class is ahead of the second. */
  get lead(): number {
    return this.#lead;
  }

  /** Whether the class that leads is the most probable one of the whole answer, whatever is still to come. */
  get decided(): boolean {
    return this.#missing <= 0;
  }

  /** Weight that must come before anything can be decided: as if all of it were for the class that leads. */
  get needed(): number {
    return Math.max(0, this.#missing / 2);
  }

  // By how much the weight to come exceeds the lead.
  get #missing(): number {
    return 1 - this.#taken + MARGIN - this.#lead;
  }
}
