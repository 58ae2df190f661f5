// When the gateway's lost calls are begun again.

import { DEFAULT_RETRY, type RetryPolicy } from '../../sdk/retry.ts';

/**
 * An aggregator that is lost is another's to replace; whoever is told to wait can wait without a place here.
 *
 * @param attempts at a call, the first one included
 */
export function retryPolicy(attempts: number): RetryPolicy {
  return { ...DEFAULT_RETRY, attempts, firstBackoffMs: 50, waitsWhenTold: false };
}
