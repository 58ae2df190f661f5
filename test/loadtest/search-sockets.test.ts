// The search over real sockets, against a queue in a process of its own whose largest rate is known: one answer takes
// 20 ms, so more than 50 a second cannot be had. Whatever else the machine does can only make it less.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { steadyClock } from '../../loadtest/clock.ts';
import { runLoadTest } from '../../loadtest/load-test.ts';
import type { LoadTestResult } from '../../loadtest/result.ts';
import { grpcTarget } from '../../loadtest/targets/grpc.ts';
import { httpTarget } from '../../loadtest/targets/http.ts';
import { taking } from './queue.ts';
import { serveQueue, type ServedQueue } from './serving-queue.ts';

const SERVICE_MS = 20;
const CAPACITY = 1000 / SERVICE_MS;
// Of a step of some seconds chance may have brought fewer arrivals than its rate says.
const CHANCE = 1.15;
const PRECISION = 1.5;
const ATTEMPTS = 4;

let queue: ServedQueue;
beforeAll(async () => {
  queue = await serveQueue();
});
afterAll(() => {
  queue.close();
});

const common = { deadlineMs: 60_000, clock: steadyClock };
const targets = {
  http: () => httpTarget({ ...common, url: new URL(queue.http), cache: false }),
  grpc: () => grpcTarget({ ...common, address: queue.grpc, attempts: 1 }),
};

async function search(
  transport: 'http' | 'grpc',
  { ms, seed, model, mostSteps = 12 }: { ms: number; seed: number; model: string; mostSteps?: number },
): Promise<LoadTestResult> {
  const target = targets[transport]();
  try {
    return await runLoadTest({
      question: {
        search: { firstRate: 20, leastSeconds: 4, leastRequests: 64, precision: PRECISION, mostSteps },
      },
      bound: { percentile: 90, ms },
      // Each has a queue of its own: nobody waits for what another search has left.
      workload: {
        kinds: [{ what: { protocol: 'CENTER_CROP', model }, weight: 1 }],
        photos: [taking(SERVICE_MS)],
      },
      ...{ target, transport, seed, warmUpSeconds: 0.5, patienceMs: 60_000 },
      ...{ command: '', address: '', startedAt: '' },
    });
  } finally {
    await target.close();
  }
}

describe.each(['http', 'grpc'] as const)('over %s', (transport) => {
  test('what it finds can be had, and what it says of each step is true', { timeout: 300_000 }, async () => {
    // A generator that something else kept from its work says so, and its search is no evidence: then once more.
    let result: LoadTestResult | undefined;
    for (let attempt = 0; attempt < ATTEMPTS && result?.search?.verdict !== 'VALID'; attempt++) {
      result = await search(transport, { ms: 300, seed: attempt, model: `try ${String(attempt)}` });
      if (result.search?.verdict === 'INVALID') {
        expect(result.search.reason).toMatch(/generator did not keep up|was not stable|no rate kept/);
      }
    }
    const { steps = [], search: found } = result ?? {};
    expect(found?.verdict, found?.reason).toBe('VALID');
    expect(found?.ratePerSecond).toBeGreaterThan(0);
    expect(found?.ratePerSecond).toBeLessThanOrEqual(CAPACITY * CHANCE);
    expect(found?.failedRatePerSecond).toBeGreaterThan(found?.ratePerSecond ?? Infinity);
    expect(found?.failedRatePerSecond).toBeLessThanOrEqual((found?.ratePerSecond ?? 0) * PRECISION);
    for (const { bound, latency, requests, answersPerSecond, ended } of steps) {
      expect(requests.failed).toBe(0);
      // No answer is earlier than the server can give it, however the times were taken.
      expect(latency.min).toBeGreaterThanOrEqual(SERVICE_MS - 1);
      expect(answersPerSecond).toBeLessThanOrEqual(CAPACITY * CHANCE);
      if (bound?.kept === true) expect([latency.p90 <= 300, ended]).toEqual([true, undefined]);
    }
  });

  test('is INVALID for a bound that no single answer keeps', async () => {
    const { search: found, steps } = await search(transport, {
      ms: SERVICE_MS / 2,
      seed: 1,
      model: 'none',
      mostSteps: 3,
    });
    expect(found).toMatchObject({ verdict: 'INVALID', ratePerSecond: 0 });
    expect(found?.reason).toMatch(/^(no rate kept the bound|the generator did not keep up)/);
    for (const { bound } of steps) expect(bound?.kept).toBe(false);
  });
});
