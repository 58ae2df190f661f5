// Which failures are tried again, when, and how often. Time and chance stand still.

import { describe, expect, test } from 'vitest';
import { Bucket } from '../../sdk/bucket.ts';
import { Replay } from '../../sdk/replay.ts';
import { DEFAULT_RETRY, Retrier } from '../../sdk/retry.ts';
import { ERROR_CODES, VggError } from '../../vgg/errors.ts';
import { fakeClock } from './fake-clock.ts';
import { collect } from './fake-services.ts';

const lost = new VggError('UNAVAILABLE', 'gone');
const policy = { attempts: 4, firstBackoffMs: 100, maxBackoffMs: 250, waitsWhenTold: true };

function failing(times: number, error: Error = lost) {
  let tries = 0;
  const attempt = () => (++tries > times ? Promise.resolve('done') : Promise.reject(error));
  return { attempt, tries: () => tries };
}

describe('a call that failed in passing', () => {
  test('is made again after waits that double up to the longest, times chance', async () => {
    const { clock, waits } = fakeClock({ leap: true, random: 0.5 });
    const { attempt, tries } = failing(3);
    expect(await new Retrier(policy, clock).run(attempt, Infinity)).toBe('done');
    expect(tries()).toBe(4);
    expect(waits).toEqual([50, 100, 125]);
  });

  test('is given up after the last attempt', async () => {
    const { clock } = fakeClock({ leap: true });
    const { attempt, tries } = failing(9);
    await expect(new Retrier(policy, clock).run(attempt, Infinity)).rejects.toBe(lost);
    expect(tries()).toBe(4);
  });

  test('is given up where the wait would pass the deadline', async () => {
    const { clock, waits } = fakeClock({ leap: true, random: 0.5 });
    const { attempt, tries } = failing(9);
    await expect(new Retrier(policy, clock).run(attempt, clock.now() + 60)).rejects.toBe(lost);
    expect([tries(), waits]).toEqual([2, [50]]);
  });

  test('is told of before it is made again, and not after the last attempt', async () => {
    const { clock } = fakeClock({ leap: true });
    const told: VggError[] = [];
    const { attempt } = failing(9);
    const retrier = new Retrier(policy, clock);
    const running = retrier.run(attempt, Infinity, undefined, (error) => told.push(error));
    await expect(running).rejects.toBe(lost);
    expect(told).toEqual([lost, lost, lost]);
  });

  test('is not made again once nobody wants it, and costs no retry', async () => {
    const { clock, waits } = fakeClock({ leap: true });
    const controller = new AbortController();
    const attempt = () => {
      controller.abort();
      return Promise.reject(lost);
    };
    await expect(new Retrier(policy, clock).run(attempt, Infinity, controller.signal)).rejects.toBe(lost);
    expect(waits).toEqual([]);
  });

  test('a wait ends with the signal', async () => {
    const { clock } = fakeClock();
    const controller = new AbortController();
    const { attempt, tries } = failing(9);
    const running = new Retrier(policy, clock).run(attempt, Infinity, controller.signal);
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new VggError('CANCELLED', 'away'));
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(tries()).toBe(1);
  });
});

describe('which errors', () => {
  test.each(ERROR_CODES.filter((code) => code !== 'UNAVAILABLE'))('%s is final', async (code) => {
    const { clock } = fakeClock({ leap: true });
    const { attempt, tries } = failing(1, new VggError(code, 'x'));
    await expect(new Retrier(policy, clock).run(attempt, Infinity)).rejects.toMatchObject({ code });
    expect(tries()).toBe(1);
  });

  test('RESOURCE_EXHAUSTED with a time to wait is made again then, and never sooner', async () => {
    const { clock, waits } = fakeClock({ leap: true, random: 0 });
    const full = new VggError('RESOURCE_EXHAUSTED', 'full', { retryAfterMs: 700 });
    const { attempt } = failing(2, full);
    expect(await new Retrier(policy, clock).run(attempt, Infinity)).toBe('done');
    expect(waits).toEqual([700, 700]);
  });

  test('RESOURCE_EXHAUSTED is final where nobody is to wait here', async () => {
    const { clock } = fakeClock({ leap: true });
    const { attempt, tries } = failing(1, new VggError('RESOURCE_EXHAUSTED', 'full', { retryAfterMs: 700 }));
    const retrier = new Retrier({ ...policy, waitsWhenTold: false }, clock);
    await expect(retrier.run(attempt, Infinity)).rejects.toMatchObject({ code: 'RESOURCE_EXHAUSTED' });
    expect(tries()).toBe(1);
  });

  test('what is not a VggError is final', async () => {
    const { clock } = fakeClock({ leap: true });
    const { attempt, tries } = failing(1, new TypeError('bug'));
    await expect(new Retrier(policy, clock).run(attempt, Infinity)).rejects.toThrow('bug');
    expect(tries()).toBe(1);
  });
});

test('a service that is down is not asked many times for each call', async () => {
  const { clock } = fakeClock({ leap: true });
  const retrier = new Retrier(DEFAULT_RETRY, clock);
  let tries = 0;
  const attempt = () => {
    tries++;
    return Promise.reject(lost);
  };
  for (let i = 0; i < 1000; i++) await retrier.run(attempt, Infinity).catch(() => {});
  expect(tries).toBe(1200);
  for (let i = 0; i < 50; i++) retrier.succeeded();
  tries = 0;
  for (let i = 0; i < 100; i++) await retrier.run(attempt, Infinity).catch(() => {});
  expect(tries).toBe(112);
});

test('a bucket fills with time, to its size', () => {
  const { clock, advance } = fakeClock();
  const bucket = new Bucket(10, 2, clock);
  for (let i = 0; i < 10; i++) expect(bucket.take()).toBe(true);
  expect(bucket.take()).toBe(false);
  advance(500);
  expect(bucket.take()).toBe(true);
  expect(bucket.take()).toBe(false);
  advance(60_000);
  expect(bucket.tokens).toBe(10);
});

describe('replay', () => {
  async function* source() {
    for (const item of [1, 2, 3]) {
      await Promise.resolve();
      yield item;
    }
  }

  test('gives all items to each reader, one after the other', async () => {
    const replay = new Replay(source());
    const first = replay.read();
    expect((await first.next()).value).toBe(1);
    expect(await collect(replay.read())).toEqual([1, 2, 3]);
    expect(await collect(replay.read())).toEqual([1, 2, 3]);
  });

  test('an item that a reader left behind is the next one`s', async () => {
    const replay = new Replay(source());
    void replay.read().next();
    expect(await collect(replay.read())).toEqual([1, 2, 3]);
  });

  test('goes on, but not back, once it is to forget', async () => {
    const replay = new Replay([1, 2, 3]);
    const reader = replay.read();
    await reader.next();
    replay.forget();
    expect(await collect(reader)).toEqual([2, 3]);
  });

  test('a source that failed fails each reader', async () => {
    const replay = new Replay(
      (async function* () {
        await Promise.resolve();
        yield 1;
        throw new Error('broken');
      })(),
    );
    await expect(collect(replay.read())).rejects.toThrow('broken');
    await expect(collect(replay.read())).rejects.toThrow('broken');
  });

  test('closes its source', async () => {
    let closed = false;
    const items = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.resolve({ done: false as const, value: 1 }),
        return: () => {
          closed = true;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    const replay = new Replay(items);
    await replay.read().next();
    replay.close();
    expect(closed).toBe(true);
  });
});
