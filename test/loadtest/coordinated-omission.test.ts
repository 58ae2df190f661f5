// A real server that stalls for two seconds, over a socket: the open loop shows it, the closed loop hides it.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { steady } from '../../loadtest/arrivals/curve.ts';
import { steadyClock } from '../../loadtest/clock.ts';
import type { Step } from '../../loadtest/result.ts';
import { runStep, type StepLoad } from '../../loadtest/step.ts';
import { httpTarget } from '../../loadtest/targets/http.ts';
import { taking } from './queue.ts';
import { serveQueue, type ServedQueue } from './serving-queue.ts';

let queue: ServedQueue;
beforeAll(async () => {
  queue = await serveQueue();
});
afterAll(() => {
  queue.close();
});

// Every answer takes 5 ms, but for one after 3 s, which takes 2 s.
async function stalled(load: StepLoad, model: string): Promise<Step> {
  const target = httpTarget({
    url: new URL(queue.http),
    deadlineMs: 60_000,
    cache: false,
    clock: steadyClock,
  });
  const stallsAt = steadyClock.now() + 3000;
  let over = false;
  const step = await runStep({
    load,
    ...{ warmUpSeconds: 0, seed: 1 },
    workload: { kinds: [{ what: { protocol: 'CENTER_CROP', model }, weight: 1 }], photos: [taking(5)] },
    target: {
      send(request, signal) {
        const stalls = !over && steadyClock.now() >= stallsAt;
        over ||= stalls;
        return target.send(stalls ? { ...request, photo: taking(2000) } : request, signal);
      },
      close: () => target.close(),
    },
  });
  await target.close();
  return step;
}

test('the open loop’s 99th percentile is the stall; a fifth of its requests met it', async () => {
  const step = await stalled({ loop: 'open', spread: 'constant', curve: steady(40, 10) }, 'open');
  expect(step.requests.answered).toBe(400);
  expect(step.latency.p99).toBeGreaterThan(1700);
  expect(step.latency.p90).toBeGreaterThan(700);
});

test('of the closed loop’s requests one met it, and the 99th percentile knows nothing', async () => {
  const step = await stalled({ loop: 'closed', concurrency: 1, seconds: 10 }, 'closed');
  expect(step.latency.max).toBeGreaterThan(1900);
  expect(step.latency.p99).toBeLessThan(1000);
});
