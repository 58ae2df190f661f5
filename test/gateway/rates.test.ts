// How often one may ask, by address and by key.

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import { addressOf } from '../../services/gateway/rates.ts';
import { gatewayOf, problemOf, services } from './running-gateway.ts';
import type { GatewayConfig } from '../../services/gateway/config.ts';

let folder: string;
let stack: Stack;
let apiKeys: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vgg-rates-'));
  apiKeys = join(folder, 'keys');
  const lines = ['one', 'two'].map((key) => `${createHash('sha256').update(key).digest('hex')} ${key}`);
  await writeFile(apiKeys, lines.join('\n'));
  stack = await services();
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

// A gateway whose clock stands still until it is told.
async function withGateway(
  config: Partial<GatewayConfig>,
  body: (
    ask: (headers?: Record<string, string>) => Promise<Response>,
    pass: (ms: number) => void,
  ) => Promise<void>,
) {
  let now = 0;
  const gateway = await gatewayOf(stack, config, { now: () => now });
  try {
    await body(
      (headers = {}) => fetch(`${gateway.url}/v1/models`, { headers }),
      (ms) => (now += ms),
    );
  } finally {
    await gateway.close();
  }
}

const statuses = async (asked: Promise<Response>[]) => (await Promise.all(asked)).map(({ status }) => status);

describe('an address', () => {
  test('has its burst, then its rate', async () => {
    await withGateway({ addressRate: 2, addressBurst: 3 }, async (ask, pass) => {
      expect(await statuses([ask(), ask(), ask()])).toEqual([200, 200, 200]);
      const refused = await ask();
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(await problemOf(refused)).toMatchObject({
        status: 429,
        code: 'RESOURCE_EXHAUSTED',
        detail: 'Expected at most 2 requests a second of one address but received more (rate)',
      });
      pass(500);
      expect((await ask()).status).toBe(200);
      expect((await ask()).status).toBe(429);
    });
  });

  test('is the socket’s, whatever X-Forwarded-For says', async () => {
    await withGateway({ addressRate: 1, addressBurst: 1 }, async (ask) => {
      expect((await ask({ 'x-forwarded-for': '192.0.2.1' })).status).toBe(200);
      expect((await ask({ 'x-forwarded-for': '192.0.2.2' })).status).toBe(429);
    });
  });

  test('is what a trusted proxy says', async () => {
    const trustedProxies = ['127.0.0.0/8'];
    await withGateway({ addressRate: 1, addressBurst: 1, trustedProxies }, async (ask) => {
      expect((await ask({ 'x-forwarded-for': '192.0.2.1' })).status).toBe(200);
      expect((await ask({ 'x-forwarded-for': '192.0.2.2' })).status).toBe(200);
      // What a client writes itself is before what the proxy adds.
      expect((await ask({ 'x-forwarded-for': '192.0.2.9, 192.0.2.1' })).status).toBe(429);
    });
  });

  test('of IPv6 is its network', () => {
    const [a, b, c] = ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1'].map((ip) =>
      addressOf({ ip }),
    );
    expect(a).toBe(b);
    expect(a).not.toBe(c);
    expect(addressOf({ ip: '::ffff:192.0.2.1' })).toBe('192.0.2.1');
  });
});

describe('an API key', () => {
  test('has a rate of its own', async () => {
    await withGateway({ apiKeys, keyRate: 1, keyBurst: 2 }, async (ask) => {
      expect(await statuses([ask({ 'x-api-key': 'one' }), ask({ 'x-api-key': 'one' })])).toEqual([200, 200]);
      expect((await ask({ 'x-api-key': 'one' })).status).toBe(429);
      expect((await ask({ 'x-api-key': 'two' })).status).toBe(200);
    });
  });

  test('is not guessed faster than an address may ask', async () => {
    await withGateway({ apiKeys, addressRate: 1, addressBurst: 2 }, async (ask) => {
      const guess = () => ask({ 'x-api-key': 'guess' });
      expect([(await guess()).status, (await guess()).status, (await guess()).status]).toEqual([
        401, 401, 429,
      ]);
    });
  });
});

test('nobody is held to a rate unless one is set', async () => {
  await withGateway({}, async (ask) => {
    expect(new Set(await statuses(Array.from({ length: 60 }, () => ask())))).toEqual(new Set([200]));
  });
});
