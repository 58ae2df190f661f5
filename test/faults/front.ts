// What stands before the gateways, as any load balancer does: it takes one that does not answer its health check out, and
// asks the other where a connection breaks or a gateway says that it is not there for it. Knows two gateways, and that
// a question may be asked twice; not what is measured.

import type { Clock } from '../../loadtest/clock.ts';
import type { LoadRequest, Target } from '../../loadtest/request.ts';
import { httpTarget, type HttpOptions } from '../../loadtest/targets/http.ts';
import { VggError } from '../../vgg/errors.ts';

/** How gateways are watched. */
export interface FrontOptions extends Omit<HttpOptions, 'url' | 'clock'> {
  urls: readonly string[];
  clock: Clock;
  /** Milliseconds between two health checks, and for which one waits for each. */
  checkMs: number;
}

interface Gateway {
  readonly url: string;
  readonly target: Target;
  /** Set while it does not answer: aborted with that. */
  out: AbortController;
}

/** Gateways as one target. */
export class Front implements Target {
  readonly #gateways: Gateway[];
  readonly #checkMs: number;
  readonly #timer: NodeJS.Timeout;
  #turn = 0;
  /** Requests that were sent to the other gateway too. */
  again = 0;

  constructor({ urls, checkMs, ...options }: FrontOptions) {
    this.#checkMs = checkMs;
    this.#gateways = urls.map((url) => ({
      url,
      target: httpTarget({ ...options, url: new URL(url) }),
      out: new AbortController(),
    }));
    this.#timer = setInterval(() => {
      for (const gateway of this.#gateways) void this.#check(gateway);
    }, checkMs);
    this.#timer.unref();
  }

  async send(request: LoadRequest, signal: AbortSignal) {
    const first = this.#turn++;
    const order = this.#gateways.map((_, i) => this.#gateways[(first + i) % this.#gateways.length]);
    const able = order.filter((each) => each?.out.signal.aborted === false);
    const [one, other] = able.length > 0 ? able : order;
    if (!one) throw new VggError('UNAVAILABLE', 'No gateway');
    try {
      return await this.#ask(one, request, signal);
    } catch (error) {
      const lost = error instanceof VggError && error.code === 'UNAVAILABLE' && !signal.aborted;
      if (!lost || !other) throw error;
      this.again++;
      return await this.#ask(other, request, signal);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#gateways.map(({ target }) => target.close()));
  }

  #ask({ target, out }: Gateway, request: LoadRequest, signal: AbortSignal) {
    return target.send(request, AbortSignal.any([signal, out.signal]));
  }

  async #check(gateway: Gateway): Promise<void> {
    const { url, out } = gateway;
    const signal = AbortSignal.timeout(this.#checkMs * 3);
    const alive = await fetch(`${url}/healthz`, { signal }).then(
      ({ ok, body }) => body?.cancel().then(() => ok) ?? ok,
      () => false,
    );
    if (!alive) out.abort(new VggError('UNAVAILABLE', 'The gateway does not answer its health check'));
    else if (out.signal.aborted && gateway.out === out) gateway.out = new AbortController();
  }
}
