// What was made lately and may be wanted again, up to a size. Knows keys and sizes.

/** Values by key, the least recently used of which are let go. */
export class Recent<Value> {
  readonly #most: number;
  readonly #sizeOf: (value: Value) => number;
  readonly #entries = new Map<string, { value: Value; size: number }>();
  #size = 0;

  /** @param most size of all values together; one that is larger by itself is kept until the next comes */
  constructor(most: number, sizeOf: (value: Value) => number) {
    this.#most = most;
    this.#sizeOf = sizeOf;
  }

  /** The value of a key, made if it is not there. */
  get(key: string, make: () => Value): Value {
    const known = this.#entries.get(key);
    const entry = known ?? this.#entry(make());
    // Maps remember the order of insertion: the most recent goes to the end.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const [oldest, { size }] of this.#entries) {
      if (this.#size <= this.#most || oldest === key) break;
      this.#entries.delete(oldest);
      this.#size -= size;
    }
    return entry.value;
  }

  #entry(value: Value): { value: Value; size: number } {
    const size = this.#sizeOf(value);
    this.#size += size;
    return { value, size };
  }
}
