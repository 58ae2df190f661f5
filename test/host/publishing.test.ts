// Metrics as lines for CloudWatch: what is in them, when they come, and that a process prints them.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';
import type { Clock } from '../../services/host/deadline.ts';
import { startPublishing, type PublishingConfig } from '../../services/host/publishing.ts';

interface Line {
  _aws: {
    Timestamp: number;
    CloudWatchMetrics: {
      Namespace: string;
      Dimensions: string[][];
      Metrics: { Name: string; Unit: string }[];
    }[];
  };
  [name: string]: unknown;
}

/** A registry with a metric of each kind, and a clock that ticks when it is told to. */
function publishing(metricsPublish: string[], now = 90_500) {
  const registry = new Registry();
  const registers = [registry];
  const answers = new Counter({ name: 'answers_total', help: 'a', labelNames: ['code'], registers });
  const waiting = new Gauge({ name: 'waiting_views', help: 'w', registers });
  const took = new Histogram({ name: 'took_seconds', help: 't', buckets: [1, 2], registers });
  const config: PublishingConfig = { metricsPublish, metricsNamespace: 'test', metricsInterval: 60_000 };
  const timers: { ms: number; task: () => void }[] = [];
  const time = { now };
  const clock: Clock = {
    now: () => time.now,
    after: (ms, task) => {
      const timer = { ms, task };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
  };
  const lines: Line[] = [];
  const stop = startPublishing({
    ...{ registry, service: 'road', config, clock },
    write: (line) => lines.push(JSON.parse(line) as Line),
  });
  const tick = async () => {
    const timer = timers.shift();
    time.now += timer?.ms ?? 0;
    timer?.task();
    while (timers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  };
  return { answers, waiting, took, lines, timers, tick, stop };
}

describe('a line', () => {
  test('has what CloudWatch reads metrics from', async () => {
    const { answers, waiting, took, lines, tick } = publishing([
      'answers_total',
      'waiting_views',
      'took_seconds_sum',
      'took_seconds_count',
    ]);
    answers.inc({ code: 'OK' }, 2);
    answers.inc({ code: 'INTERNAL' });
    waiting.set(150);
    took.observe(1.5);
    took.observe(0.25);
    await tick();
    expect(lines).toEqual([
      {
        _aws: {
          Timestamp: 60_000,
          CloudWatchMetrics: [
            {
              Namespace: 'test',
              Dimensions: [['service']],
              Metrics: [
                { Name: 'answers_total', Unit: 'Count' },
                { Name: 'waiting_views', Unit: 'Count' },
                { Name: 'took_seconds_sum', Unit: 'Seconds' },
                { Name: 'took_seconds_count', Unit: 'Count' },
              ],
            },
          ],
        },
        service: 'road',
        answers_total: 3,
        waiting_views: 150,
        took_seconds_sum: 1.75,
        took_seconds_count: 2,
      },
    ]);
  });

  test('of a label comes once for each of its values', async () => {
    const { answers, lines, tick } = publishing(['answers_total{code}', 'answers_total']);
    answers.inc({ code: 'OK' }, 2);
    answers.inc({ code: 'INTERNAL' });
    await tick();
    const brief = lines.map(({ _aws, ...values }) => [_aws.CloudWatchMetrics[0]?.Dimensions, values]);
    expect(brief).toEqual([
      [[['service', 'code']], { service: 'road', code: 'OK', answers_total: 2 }],
      [[['service', 'code']], { service: 'road', code: 'INTERNAL', answers_total: 1 }],
      [[['service']], { service: 'road', answers_total: 3 }],
    ]);
  });
});

describe('lines', () => {
  test('tell of counters what they grew by, of gauges what they are, each interval', async () => {
    const { answers, waiting, lines, tick } = publishing(['answers_total', 'waiting_views']);
    answers.inc({ code: 'OK' }, 5);
    waiting.set(7);
    await tick();
    answers.inc({ code: 'OK' }, 1);
    await tick();
    await tick();
    expect(lines.map((each) => [each['answers_total'], each['waiting_views']])).toEqual([
      [5, 7],
      [1, 7],
      [0, 7],
    ]);
    expect(lines.map(({ _aws }) => _aws.Timestamp)).toEqual([60_000, 120_000, 180_000]);
  });

  test('fall on multiples of the interval, whenever the process began', () => {
    expect(publishing(['waiting_views'], 90_500).timers.map(({ ms }) => ms)).toEqual([29_500]);
    expect(publishing(['waiting_views'], 119_999).timers.map(({ ms }) => ms)).toEqual([1]);
  });

  test('end with what has grown since the last one', async () => {
    const { answers, lines, timers, tick, stop } = publishing(['answers_total']);
    await tick();
    answers.inc({ code: 'OK' }, 4);
    await stop();
    expect(lines.map((each) => each['answers_total'])).toEqual([0, 4]);
    expect(timers).toEqual([]);
  });

  test('are none unless asked for', async () => {
    const { lines, timers, stop } = publishing([]);
    await stop();
    expect([lines, timers]).toEqual([[], []]);
  });
});

test.each(['nothing_total', 'took_seconds', 'took_seconds_bucket', 'nothing{code}'])(
  '%s, which the registry has not, stops the start',
  (name) => {
    expect(() => publishing([name])).toThrow('Expected a metric of road but received');
  },
);

test('a process prints them on standard output, logs on standard error, and the rest when it ends', async () => {
  const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith('VGG_'));
  const child = spawn(process.execPath, [join(packageRoot, 'dist/services/aggregator/main.js')], {
    env: {
      ...Object.fromEntries(inherited),
      VGG_AGGREGATOR_PORT: '0',
      VGG_METRICS_PUBLISH: 'vgg_ready,vgg_aggregator_backlog_views,vgg_rpc_requests_total{code}',
      VGG_METRICS_INTERVAL: '1s',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  child.stderr.resume();
  const lines: Line[] = [];
  for await (const line of createInterface(child.stdout)) {
    const parsed = JSON.parse(line) as Line;
    lines.push(parsed);
    if (lines.length === 1) child.kill('SIGTERM');
  }
  expect(await exited).toEqual([0, null]);
  const [first] = lines.filter((each) => 'vgg_ready' in each);
  expect(first).toMatchObject({ service: 'aggregator', vgg_aggregator_backlog_views: 0 });
  expect(lines.filter((each) => 'code' in each).map((each) => each['code'])).toContain('UNAVAILABLE');
  for (const { _aws } of lines) expect(_aws.Timestamp % 1000).toBe(0);
});
