// Who may ask, and how often: keys, the rate of each client, and whether the door is open. Knows no route.

import type { FastifyReply, FastifyRequest } from 'fastify';
import { VggError, asVggError } from '../../vgg/errors.ts';
import type { Authenticate } from './api-keys.ts';
import { clientName } from './client-name.ts';
import type { GatewayMetrics } from './metrics.ts';
import { RateLimit, type RatePolicy } from './rate-limit.ts';

/** What admission stands on. */
export interface AdmissionRules {
  /** Checks a credential; undefined: none is asked for. */
  authenticate: Authenticate | undefined;
  /** None each second: as many as a client likes. */
  rate: RatePolicy;
  metrics: Pick<GatewayMetrics, 'rateLimited'>;
  open: () => boolean;
  /** Monotonic milliseconds. */
  now: () => number;
}

/** The door of one server. */
export class Admission {
  readonly #rules: AdmissionRules;
  readonly #limit: RateLimit | undefined;

  constructor(rules: AdmissionRules) {
    this.#rules = rules;
    this.#limit = rules.rate.perSecond > 0 ? new RateLimit(rules.rate, rules.now) : undefined;
  }

  /**
   * Lets a request in.
   *
   * @throws VggError UNAUTHENTICATED, RESOURCE_EXHAUSTED, UNAVAILABLE
   */
  async check(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    let name: string | undefined;
    let refused: VggError | undefined;
    try {
      name = this.#rules.authenticate?.(request.headers);
    } catch (error) {
      refused = asVggError(error);
    }
    // Who tries keys is counted by address, so that trying is slow.
    this.#count(name === undefined ? `address ${clientName(request.ip)}` : `key ${name}`, reply);
    if (refused) throw refused;
    if (!this.#rules.open()) throw new VggError('UNAVAILABLE', 'The server is shutting down');
    await Promise.resolve();
  }

  #count(client: string, reply: FastifyReply): void {
    if (!this.#limit) return;
    const allowance = this.#limit.take(client);
    void reply.headers(this.#limit.fields(allowance));
    if (allowance.allowed) return;
    this.#rules.metrics.rateLimited();
    throw this.#limit.refusal(allowance);
  }
}
