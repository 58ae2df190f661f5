// While inference has no replica: photos that wait for one, photos that were told to come back, and how long one takes
// to start. Knows clocks and deadlines; neither photos nor calls.
//
// Scaled to zero, a photo is the reason that a replica starts. It waits if its deadline is after the replica's expected
// start; else it is told at once when to come back, as a connection that is held for nothing helps nobody. Either way
// it is counted until then: who scales on the backlog sees what is wanted, not only what happens to be connected.

import { VggError } from '../../vgg/errors.ts';
import { orAborted, type Clock } from '../host/deadline.ts';
import type { CallScope } from './upstream.ts';

/** What is known beforehand. */
export interface AbsenceOptions {
  /** Milliseconds that a replica is expected to take until it answers, before one has been measured. */
  startMs: number;
  /** Asks inference for anything; rejects while there is no replica. */
  probe: () => Promise<unknown>;
  clock: Clock;
  /** A replica has started, after so many milliseconds. */
  onStart?: (ms: number) => void;
}

// Between two probes.
const PROBE_MS = 500;
// Expected of a start that takes longer than the one before: a part of it, again and again.
const OVERDUE = 0.1;
// A replica that is back so much sooner had not started: it could only not be reached.
const TOO_SOON = 0.1;
// The answer must be with the caller before it gives up: a part of its time, at most a second.
const MARGIN = 0.1;
const MARGIN_MS = 1000;
// Callers that were told to come back do so up to a quarter of the time later (sdk/retry.ts).
const LATE = 1.25;
const LEAST_RETRY_MS = 1000;

interface Presence {
  since: number;
  arrived: Promise<void>;
  arrive: () => void;
}

/** Knows whether inference is there, of what it is told and of its own probes while anybody wants it. */
export class Absence {
  readonly #options: AbsenceOptions;
  #startMs: number;
  #absent: Presence | undefined;
  #probing = false;
  #waiters = 0;
  #waiting = 0;
  #told: { views: number; until: number }[] = [];

  constructor(options: AbsenceOptions) {
    this.#options = options;
    this.#startMs = options.startMs;
  }

  /** Milliseconds from the first photo at zero until a replica answered, the last time; before, what was expected. */
  get startMs(): number {
    return this.#startMs;
  }

  /** Views of photos that wait for a replica, or were told to come back and are not due yet. */
  get views(): number {
    return this.#waiting + this.#expected().reduce((sum, { views }) => sum + views, 0);
  }

  /** Inference has answered. */
  present(): void {
    const absent = this.#absent;
    if (!absent) return;
    this.#absent = undefined;
    this.#told = [];
    const ms = this.#options.clock.now() - absent.since;
    if (ms >= TOO_SOON * this.#startMs) {
      this.#startMs = ms;
      this.#options.onStart?.(ms);
    }
    absent.arrive();
  }

  /**
   * Waits for a replica.
   *
   * @param views that the photo is thought to have; 0 if they are counted elsewhere while it waits
   * @throws VggError UNAVAILABLE with the time to come back after, if the deadline is nearer; the signal's reason
   */
  async wait(views: number, { signal, deadline }: Pick<CallScope, 'signal' | 'deadline'>): Promise<void> {
    const { clock } = this.#options;
    const now = clock.now();
    const absent = (this.#absent ??= absence(now));
    const leave = deadline - Math.min(MARGIN_MS, MARGIN * (deadline - now));
    // Before it may be refused: the photo is wanted, whoever waits for it.
    this.#probe(absent);
    if (now + this.#remainingMs(absent) > leave) throw this.#refuse(absent, views);
    this.#waiters++;
    this.#waiting += views;
    let cancel = () => {};
    const late = new Promise<'late'>((resolve) => {
      cancel = clock.after(leave - now, () => {
        resolve('late');
      });
    });
    try {
      if ((await orAborted(Promise.race([absent.arrived, late]), signal)) === 'late')
        throw this.#refuse(absent, views);
    } finally {
      cancel();
      this.#waiters--;
      this.#waiting -= views;
    }
  }

  #refuse(absent: Presence, views: number): VggError {
    const retryAfterMs = Math.max(LEAST_RETRY_MS, Math.ceil(this.#remainingMs(absent)));
    this.#told.push({ views: Math.max(1, views), until: this.#options.clock.now() + LATE * retryAfterMs });
    const seconds = String(Math.ceil(retryAfterMs / 1000));
    return new VggError('UNAVAILABLE', `No inference service has started yet; expected in ${seconds} s`, {
      retryAfterMs,
    });
  }

  #remainingMs({ since }: Presence): number {
    return Math.max(OVERDUE * this.#startMs, since + this.#startMs - this.#options.clock.now());
  }

  #expected() {
    const now = this.#options.clock.now();
    this.#told = this.#told.filter(({ until }) => until > now);
    return this.#told;
  }

  // As long as anybody wants a replica; then it is forgotten since when there was none.
  #probe(absent: Presence): void {
    if (this.#probing) return;
    this.#probing = true;
    const { probe, clock } = this.#options;
    const again = () => {
      if (this.#absent !== absent) {
        this.#probing = false;
        return;
      }
      if (this.#waiters === 0 && this.#expected().length === 0) {
        this.#probing = false;
        this.#absent = undefined;
        return;
      }
      probe().then(
        () => {
          this.#probing = false;
          this.present();
        },
        () => {
          clock.after(PROBE_MS, again);
        },
      );
    };
    clock.after(PROBE_MS, again);
  }
}

function absence(since: number): Presence {
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => (arrive = resolve));
  return { since, arrived, arrive };
}
