// How often each API key and each address may ask. Knows HTTP's addresses and headers; not what is asked.

import type { FastifyRequest } from 'fastify';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import { VggError } from '../../vgg/errors.ts';

/** Requests at once, and then each second; 0 a second: any number. */
export interface Rate {
  perSecond: number;
  burst: number;
}

// Of more askers than this, those that were silent longest are forgotten: their buckets have mostly filled up again.
const ASKERS = 50_000;
// Who has an IPv6 address has as many as he likes of one network.
const IPV6_NETWORK = 64;

/** A token bucket for each asker. */
export class Rates {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new LRUCache<string, { tokens: number; at: number }>({ max: ASKERS });

  /** @param now monotonic milliseconds */
  constructor(rate: Rate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
  }

  /** @throws VggError RESOURCE_EXHAUSTED with the time until the next request would be answered */
  take(asker: string, who: string): void {
    const { perSecond, burst } = this.#rate;
    if (perSecond === 0) return;
    const now = this.#now();
    const { tokens, at } = this.#buckets.get(asker) ?? { tokens: burst, at: now };
    const left = Math.min(burst, tokens + ((now - at) * perSecond) / 1000);
    this.#buckets.set(asker, { tokens: left < 1 ? left : left - 1, at: now });
    if (left >= 1) return;
    const message = `Expected at most ${String(perSecond)} requests a second of one ${who} but received more (rate)`;
    throw new VggError('RESOURCE_EXHAUSTED', message, {
      retryAfterMs: Math.ceil(((1 - left) * 1000) / perSecond),
      fields: [{ field: 'rate', message }],
    });
  }
}

/** A client's address as one asker: IPv4 as it is, of IPv6 the network. */
export function addressOf({ ip }: Pick<FastifyRequest, 'ip'>): string {
  if (!ipaddr.isValid(ip)) return ip;
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return address.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${String(IPV6_NETWORK)}`).toString();
}
