// Computations that several callers wait for: one begins it, whoever asks for the same meanwhile joins, and it is
// cancelled when the last of them has left. Knows keys, signals and points in time; not what is computed.

/** Someone who waits. */
export interface Waiter {
  /** Aborted when it waits no longer: it is told the reason at once, whoever else goes on waiting. */
  signal: AbortSignal;
  /** When its signal is aborted at the latest, in milliseconds on the clock of the other waiters. */
  deadline: number;
}

interface Flight<Value> {
  readonly value: Promise<Value>;
  readonly controller: AbortController;
  readonly deadline: number;
  waiting: number;
  over: boolean;
}

/** The computations of one server that are under way. */
export class Flights<Value> {
  readonly #flights = new Map<string, Flight<Value>>();
  readonly #graceMs: number;

  /** @param graceMs how long a computation may go on after the deadline of whoever began it, for others */
  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Keys under way. */
  get size(): number {
    return this.#flights.size;
  }

  /** How many wait for a key. */
  waiting(key: string): number {
    return this.#flights.get(key)?.waiting ?? 0;
  }

  /**
   * Joins the computation of a key if one is under way and can last as long as this waiter does, else begins one.
   * A failure is told to all who wait, and is over with that: the next one begins anew.
   *
   * @param start is given a signal, aborted when nobody waits any more, and the latest point in time that anybody can
   * @returns its value, or the waiter's own reason to leave, and whether it was under way
   */
  join(
    key: string,
    waiter: Waiter,
    start: (signal: AbortSignal, deadline: number) => Promise<Value>,
  ): { value: Promise<Value>; joined: boolean } {
    const current = this.#flights.get(key);
    if (current && waiter.deadline <= current.deadline)
      return { value: this.#wait(key, current, waiter), joined: true };
    const flight = this.#begin(key, waiter.deadline + this.#graceMs, start);
    return { value: this.#wait(key, flight, waiter), joined: false };
  }

  #begin(
    key: string,
    deadline: number,
    start: (signal: AbortSignal, deadline: number) => Promise<Value>,
  ): Flight<Value> {
    const controller = new AbortController();
    const value = start(controller.signal, deadline).finally(() => {
      flight.over = true;
      this.#forget(key, flight);
    });
    value.catch(() => undefined); // Each waiter hears of it; there may be none left.
    const flight: Flight<Value> = { value, controller, deadline, waiting: 0, over: false };
    this.#flights.set(key, flight);
    return flight;
  }

  async #wait(key: string, flight: Flight<Value>, { signal }: Waiter): Promise<Value> {
    flight.waiting++;
    let leave: (() => void) | undefined;
    const left = new Promise<never>((_resolve, reject) => {
      leave = () => {
        reject(signal.reason as Error);
      };
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
    });
    try {
      return await Promise.race([flight.value, left]);
    } finally {
      if (leave) signal.removeEventListener('abort', leave);
      flight.waiting--;
      if (flight.waiting === 0 && !flight.over) {
        // Before the abort: who comes now must not join what is being cancelled.
        this.#forget(key, flight);
        flight.controller.abort(signal.reason);
      }
    }
  }

  #forget(key: string, flight: Flight<Value>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
