// What the services say of a step, against what was really asked of them: real services, real metrics.

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startService } from '../../../bench/services.ts';
import type { Stack } from '../../../cli/stack.ts';
import { metricsUrl } from '../../../loadtest/server-side/scrape.ts';
import { startServerSide } from '../../../loadtest/server-side/server-side.ts';
import { snapshot } from '../../../loadtest/server-side/snapshot.ts';
import { createClient, type VggClient } from '../../../sdk/index.ts';
import type { RunningGateway } from '../../../services/gateway/main.ts';
import { BACKLOG, QUEUED } from '../../../services/inference/metrics.ts';
import { classify, gatewayOf, metric, PHOTO, services, until } from '../../gateway/running-gateway.ts';
import { freePorts } from '../../gateway/page/browser.ts';

/** A clock whose seconds pass when the test says so. Time limits of fetching are not its matter: they never pass. */
function seconds() {
  let now = 1_000_000;
  let next: (() => void) | undefined;
  return {
    clock: {
      now: () => now,
      after(ms: number, task: () => void) {
        if (ms === 1000) next = task;
        return () => {
          if (next === task) next = undefined;
        };
      },
    },
    /** Waits until a reading is over, then lets a second pass. */
    async second() {
      await until('a reading', () => next !== undefined);
      now += 1000;
      const task = next;
      next = undefined;
      task?.();
    },
  };
}

describe('services in one process', () => {
  let stack: Stack;
  let gateway: RunningGateway;
  let client: VggClient;
  let urls: URL[];
  beforeAll(async () => {
    const ports = ['PREPROCESS', 'INFERENCE', 'AGGREGATOR'].map((name) => [`VGG_${name}_METRICS_PORT`, '0']);
    stack = await services(Object.fromEntries(ports) as NodeJS.ProcessEnv);
    gateway = await gatewayOf(stack);
    client = createClient({ aggregator: stack.aggregator.address });
    const { aggregator, inference, preprocess } = stack;
    urls = [gateway.url, ...[aggregator, inference, preprocess].map((each) => each.metricsAddress ?? '')].map(
      metricsUrl,
    );
  });
  afterAll(async () => {
    client.close();
    await gateway.close();
    await stack.close();
  });

  test('say what was asked of them, and nothing from before', async () => {
    await client.classify(PHOTO);
    const warnings: string[] = [];
    const reading = startServerSide(urls, { warn: (warning) => warnings.push(warning) });
    // The first reading is of the time before.
    await snapshot(urls);
    await client.classify(PHOTO, { protocol: 'CENTER_CROP', scales: [72] });
    await client.classify(PHOTO, { protocol: 'MULTI_CROP', scales: [72, 92] });
    const response = await classify(gateway, '?protocol=ten-crop&scales=72');
    await response.text();
    const side = await reading.stop();
    expect(warnings).toEqual([]);
    const count = (stage: string) => side?.stages.find((each) => each.stage === stage)?.count;
    expect(['prepare', 'queue', 'compute', 'total', 'decode', 'resize', 'http'].map(count)).toEqual([
      3, 3, 3, 3, 3, 4, 1,
    ]);
    for (const { meanMs } of side?.stages ?? []) expect(meanMs).toBeGreaterThanOrEqual(0);
    const { batches } = side ?? expect.unreachable('nothing was read');
    expect(batches.count * batches.meanViews).toBeCloseTo(1 + 100 + 10);
    expect(batches.sizes.reduce((sum, size) => sum + size.count, 0)).toBe(batches.count);
    expect(batches.sizes.at(-1)?.upTo).toBeNull();
    expect(batches.meanCalls).toBe(1);
    expect(batches.busy).toBeGreaterThan(0);
    expect(batches.busy).toBeLessThanOrEqual(1);
    expect(side?.viewsPerSecond).toBeGreaterThan(0);
    expect([side?.droppedViews, side?.retries]).toEqual([[], []]);
    expect(side?.cpu.map(({ process }) => process)).toEqual([
      'gateway + aggregator + inference + preprocess',
    ]);
    expect(side?.cpu[0]?.residentMiB).toBeCloseTo(process.memoryUsage.rss() / 1024 / 1024, -3);
  });

  test('say which views they dropped', async () => {
    const reading = startServerSide(urls);
    await snapshot(urls);
    // A view that is waiting when its call ends is dropped; one that has not arrived is not.
    const calls = Array.from({ length: 6 }, () => {
      const controller = new AbortController();
      const asked = client
        .classify(PHOTO, { grid: 8, share: 'OFF', signal: controller.signal })
        .catch(() => undefined);
      return { controller, asked };
    });
    await until('views that wait', async () => (await metric(stack.inference, BACKLOG)) > 500);
    for (const { controller } of calls) controller.abort();
    await Promise.all(calls.map(({ asked }) => asked));
    await until('nothing in hand', async () => {
      const { callsInFlight = 1, queuedViews = 1 } = (await snapshot(urls)) ?? {};
      return callsInFlight + queuedViews === 0;
    });
    const side = await reading.stop();
    const dropped = side?.droppedViews ?? [];
    expect(dropped.map(({ code }) => code)).toContain('CANCELLED');
    const total = dropped.reduce((sum, { count }) => sum + count, 0);
    expect(total).toBeGreaterThan(100);
    expect((await snapshot(urls))?.droppedViews).toBe(total);
  });

  test('what cannot be read is warned of once, and the rest is there', async () => {
    const port = await freePorts();
    const warnings: string[] = [];
    const time = seconds();
    const all = [metricsUrl(`127.0.0.1:${String(port)}`), ...urls];
    const reading = startServerSide(all, { clock: time.clock, warn: (warning) => warnings.push(warning) });
    await time.second();
    await time.second();
    const side = await reading.stop();
    expect(await reading.stop()).toBe(side);
    expect(side?.cpu).toHaveLength(1);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(
      new RegExp(`^Metrics of http://127.0.0.1:${String(port)}/metrics could not be read: .*ECONNREFUSED`),
    );
    expect(await snapshot(all)).toBeUndefined();
  });

  test('an address that is named twice is read once', async () => {
    const twice = startServerSide([...urls, ...urls]);
    await client.classify(PHOTO, { protocol: 'CENTER_CROP', scales: [72] });
    const side = await twice.stop();
    expect(side?.stages.find(({ stage }) => stage === 'total')?.count).toBeLessThanOrEqual(1);
  });
});

test('nothing that can be read is nothing, not a failure', async () => {
  expect(await startServerSide([]).stop()).toBeUndefined();
  const warnings: string[] = [];
  const reading = startServerSide([metricsUrl(`127.0.0.1:${String(await freePorts())}`)], {
    warn: (each) => warnings.push(each),
  });
  expect(await reading.stop()).toBeUndefined();
  expect(warnings).toHaveLength(1);
});

test('a service that is lost and comes back is noticed, and counts on', async () => {
  const port = String(await freePorts());
  const start = () => startService('preprocess', { VGG_PREPROCESS_METRICS_PORT: port });
  const prepare = async (address: string, times: number) => {
    const client = createClient({ preprocess: address });
    for (let i = 0; i < times; i++) {
      for await (const each of client.prepare(PHOTO, {
        protocol: 'DENSE',
        scales: [72],
        mean: { red: 1, green: 2, blue: 3 },
        inputSize: 64,
      })) {
        expect(each.plane.scale).toBe(72);
      }
    }
    client.close();
  };
  const time = seconds();
  const warnings: string[] = [];
  let service = await start();
  try {
    await prepare(service.address, 5);
    const reading = startServerSide([metricsUrl(`127.0.0.1:${port}`)], {
      clock: time.clock,
      warn: (each) => warnings.push(each),
    });
    await time.second();
    await prepare(service.address, 1);
    await time.second();
    // What was counted is read before the service is lost.
    await until(
      'a reading',
      async () => (await service.metric('vgg_preprocess_step_duration_seconds_count', 'decode')) === 6,
    );
    await time.second();
    await service.kill();
    service = await start();
    await prepare(service.address, 2);
    const side = await reading.stop();
    expect(side?.stages.find(({ stage }) => stage === 'decode')?.count).toBe(3);
    expect(side?.cpu.map(({ process }) => process)).toEqual(['preprocess']);
    expect(warnings.filter((each) => each.includes('was restarted'))).toHaveLength(1);
  } finally {
    await service.stop();
  }
});

test('the queue is seen at its fullest, by the second', async () => {
  const values = [3, 40, 12, 5];
  let read = 0;
  const server = createServer((_, response) => {
    response.end(`${QUEUED} ${String(values[read++] ?? 0)}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const time = seconds();
  const reading = startServerSide(
    [metricsUrl(`127.0.0.1:${String((server.address() as AddressInfo).port)}`)],
    { clock: time.clock },
  );
  await time.second();
  await time.second();
  const side = await reading.stop();
  expect(read).toBe(4);
  expect(side?.mostQueuedViews).toBe(40);
});
