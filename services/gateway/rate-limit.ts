// How many requests a client may make: a burst at once, then so many a second. Knows clients by a name; not HTTP.

import { VggError } from '../../vgg/errors.ts';

/** What a client may do. */
export interface RatePolicy {
  /** Requests that come back each second. */
  perSecond: number;
  /** Requests at once. */
  burst: number;
}

/** What is left to a client after a request. */
export interface Allowance {
  allowed: boolean;
  /** Whole requests that may be made at once. */
  left: number;
  /** Milliseconds until a request may be made. */
  waitMs: number;
  /** Milliseconds until the whole burst is back. */
  fullMs: number;
}

// Clients that are remembered. Who is forgotten starts anew: whoever has that many addresses has no limit anyway.
const MOST_CLIENTS = 20_000;

/**
 * The limits of all clients, by the generic cell rate algorithm (ITU-T I.371): of each client only the time is kept
 * at which its burst is whole again. Those that are longest silent are forgotten first.
 */
export class RateLimit {
  readonly #fullAt = new Map<string, number>();
  readonly #policy: RatePolicy;
  readonly #now: () => number;
  readonly #most: number;

  /**
   * @param now monotonic milliseconds
   * @param most clients that are remembered
   */
  constructor(policy: RatePolicy, now: () => number, most = MOST_CLIENTS) {
    this.#policy = policy;
    this.#now = now;
    this.#most = most;
  }

  /** Clients that are remembered. */
  get size(): number {
    return this.#fullAt.size;
  }

  /** Counts a request of a client, unless it is one too many. */
  take(client: string): Allowance {
    const now = this.#now();
    const { burst } = this.#policy;
    const interval = 1000 / this.#policy.perSecond;
    const before = Math.max(0, (this.#fullAt.get(client) ?? now) - now);
    const after = before + interval;
    // A hair's breadth: sums of intervals are not exact.
    const waitMs = Math.max(0, after - burst * interval - interval * 1e-6);
    const allowed = waitMs === 0;
    const fullMs = allowed ? after : before;
    this.#fullAt.delete(client);
    this.#fullAt.set(client, now + fullMs);
    for (const oldest of this.#fullAt.keys()) {
      if (this.#fullAt.size <= this.#most) break;
      this.#fullAt.delete(oldest);
    }
    const left = Math.max(0, Math.floor(burst - fullMs / interval + 1e-6));
    return { allowed, left, waitMs, fullMs };
  }

  /** Header fields of an answer (draft-ietf-httpapi-ratelimit-headers). */
  fields({ left, fullMs }: Allowance): Record<string, string> {
    const { burst, perSecond } = this.#policy;
    const window = Math.max(1, Math.ceil(burst / perSecond));
    return {
      'ratelimit-policy': `"default";q=${String(burst)};w=${String(window)}`,
      ratelimit: `"default";r=${String(left)};t=${String(Math.ceil(fullMs / 1000))}`,
    };
  }

  /** Why a request is one too many. */
  refusal({ waitMs }: Allowance): VggError {
    const { perSecond, burst } = this.#policy;
    const most = `${String(perSecond)} requests a second, and ${String(burst)} at once`;
    const message = `Expected at most ${most}, but received more (rate)`;
    return new VggError('RESOURCE_EXHAUSTED', message, {
      fields: [{ field: 'rate', message }],
      retryAfterMs: Math.max(1, Math.ceil(waitMs)),
    });
  }
}
