// Tasks that call others: gateways and aggregators. When a lost call is begun again, and whether a photo waits for a
// replica of inference, is decided by the code that serves. Knows whom to ask; not what a call costs.

import type { Clock } from '../../sdk/clock.ts';
import { Retrier } from '../../sdk/retry.ts';
import { Absence } from '../../services/aggregator/absence.ts';
import { retriers } from '../../services/aggregator/retries.ts';
import { retryPolicy } from '../../services/gateway/retries.ts';
import { VggError } from '../../vgg/errors.ts';
import type { Random } from '../../vgg/random.ts';
import type { Cores } from './cores.ts';
import type { LoopOverhead } from './costs.ts';
import { Task } from './fleet.ts';
import type { ServiceLimits } from './settings.ts';

/** What a call says of which no replica is there. */
export function unreachable(service: string): VggError {
  return new VggError('UNAVAILABLE', `No replica of ${service}`);
}

/** What both are made of. */
export interface CallerOptions {
  cores: Cores;
  overhead: LoopOverhead;
  /** Chance of the loop's pauses. */
  pauses: Random;
  clock: Clock;
  limits: ServiceLimits;
}

/** A gateway. */
export class GatewayTask extends Task {
  /** Of calls to aggregators. */
  readonly retrier: Retrier;

  constructor({ cores, overhead, pauses, clock, limits }: CallerOptions) {
    super(cores, overhead, pauses, clock.now());
    this.retrier = new Retrier(retryPolicy(limits.attempts.gateway), clock);
  }
}

/** An aggregator. */
export class AggregatorTask extends Task {
  readonly retriers: ReturnType<typeof retriers>;
  readonly absence: Absence | undefined;
  /** Views that its photos on the road wait for. */
  views = 0;
  readonly #clock: Clock;
  readonly #modelsAgeMs: number;
  readonly #there: () => boolean;
  #knownUntil = -Infinity;

  /** @param there whether a replica of inference could be asked now */
  constructor({ cores, overhead, pauses, clock, limits }: CallerOptions, there: () => boolean) {
    super(cores, overhead, pauses, clock.now());
    this.#clock = clock;
    this.#there = there;
    this.#modelsAgeMs = limits.modelsAgeMs;
    this.retriers = retriers(limits.attempts.aggregator, clock);
    const { replicaStartMs: startMs } = limits;
    const probe = () => (there() ? Promise.resolve() : Promise.reject(unreachable('inference')));
    if (startMs > 0) this.absence = new Absence({ startMs, probe, clock });
  }

  /** What it publishes as its backlog. */
  get backlog(): number {
    return this.views + (this.absence?.views ?? 0);
  }

  /** Whether facts of models are kept, or can be had now. Asking for them is in what a photo's call costs. */
  knowsModels(): boolean {
    const now = this.#clock.now();
    if (now < this.#knownUntil) return true;
    if (!this.#there()) return false;
    this.#knownUntil = now + this.#modelsAgeMs;
    return true;
  }
}
