// Fetching one service's metrics, bounded in time and size whatever answers there. Knows HTTP; not what metrics mean.

import { expected } from '../../vgg/errors.ts';
import type { Clock } from '../../sdk/clock.ts';
import { parseExposition, type Sample } from './exposition.ts';

/** What is asked for with: the global fetch, or one of a test. */
export type Fetch = (url: URL, init: RequestInit) => Promise<Answer>;

type Answer = Pick<Response, 'ok' | 'status' | 'body'>;

// Ours are about 30 kB.
const MOST_BYTES = 8 * 1024 * 1024;
const PATIENCE_MS = 3000;

/**
 * The address of metrics, as a person gives it: `http://127.0.0.1:9090/metrics`, or without the path or the scheme.
 *
 * @throws VggError INVALID_ARGUMENT if it is none
 */
export function metricsUrl(text: string): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw expected('an address of metrics such as http://127.0.0.1:9090/metrics', text, 'metrics');
  }
  if (url.pathname === '/') url.pathname = '/metrics';
  url.hash = '';
  return url;
}

/**
 * The samples of an address now.
 *
 * @throws Error that says in a few words why there are none
 */
export async function scrape(url: URL, fetch: Fetch, clock: Pick<Clock, 'after'>): Promise<Sample[]> {
  const controller = new AbortController();
  const end = clock.after(PATIENCE_MS, () => {
    controller.abort(new Error(`no answer within ${String(PATIENCE_MS / 1000)} s`));
  });
  try {
    const response = await orAborted(
      fetch(url, {
        headers: { accept: 'text/plain;version=0.0.4' },
        // Whoever names an address means that one.
        redirect: 'error',
        signal: controller.signal,
      }),
      controller.signal,
    );
    if (!response.ok) throw new Error(`HTTP ${String(response.status)}`);
    return parseExposition(await bounded(response, controller.signal));
  } catch (error) {
    throw reason(error);
  } finally {
    end();
    // A body that was not read to its end holds a connection.
    controller.abort();
  }
}

async function bounded(response: Answer, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const read = await orAborted(
      reader?.read() ?? Promise.resolve({ done: true as const, value: undefined }),
      signal,
    );
    if (read.done) return text + decoder.decode();
    const chunk = read.value as Uint8Array;
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Error(`more than ${String(MOST_BYTES / 1024 / 1024)} MiB`);
    text += decoder.decode(chunk, { stream: true });
  }
}

// A fetch that does not listen to its signal must not hold a step up.
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}

// fetch says "fetch failed", and why in its cause.
function reason(error: unknown): Error {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  if (!(cause instanceof Error)) return new Error(message);
  return new Error(cause.message || (cause as NodeJS.ErrnoException).code || message);
}
