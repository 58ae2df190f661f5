// Fetching where TLS has options of its own: an authority that Node.js does not know, a certificate to show. Knows
// undici's fetch; not what is fetched.

import { Agent, fetch } from 'undici';
import { connectOptions, type ClientTls } from '../targets/tls.ts';
import type { Fetch } from './scrape.ts';

/** A fetch that trusts and shows what the target's client does. @param target whose certificate may have another name */
export function secureFetch(tls: ClientTls, target: URL | undefined): Fetch {
  const own = new Agent({ connect: connectOptions(tls) });
  const others = new Agent({ connect: { ...connectOptions(tls), servername: undefined } });
  return async (url, { headers, redirect, signal }) => {
    const dispatcher = url.origin === target?.origin ? own : others;
    // Two copies of one standard's types.
    const init = { headers, redirect, signal, dispatcher } as unknown as Parameters<typeof fetch>[1];
    return await fetch(url, init);
  };
}
