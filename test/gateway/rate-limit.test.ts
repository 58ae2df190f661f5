// How often a client may ask: by key, by address, behind proxies; and that memory has a bound.

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import { checkProxies, clientName } from '../../services/gateway/client-name.ts';
import type { GatewayConfig } from '../../services/gateway/config.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { RateLimit } from '../../services/gateway/rate-limit.ts';
import { gatewayOf, metric, problemOf, services } from './running-gateway.ts';

let stack: Stack;
let folder: string;
let apiKeys: string;
beforeAll(async () => {
  stack = await services();
  folder = await mkdtemp(join(tmpdir(), 'vgg-rate-'));
  apiKeys = join(folder, 'keys');
  const lines = ['one', 'two'].map(
    (key) => `${createHash('sha256').update(key).digest('hex')} client ${key}`,
  );
  await writeFile(apiKeys, lines.join('\n'));
});
afterAll(async () => {
  await stack.close();
  await rm(folder, { recursive: true });
});

// Time stands still unless it is moved.
async function limited<Result>(
  config: Partial<GatewayConfig>,
  use: (gateway: RunningGateway, pass: (ms: number) => void) => Promise<Result>,
): Promise<Result> {
  let now = 1_000_000;
  const rate = { rateLimit: 2, rateBurst: 3 };
  const gateway = await gatewayOf(stack, { ...rate, ...config }, { now: () => now });
  try {
    return await use(gateway, (ms) => (now += ms));
  } finally {
    await gateway.close();
  }
}

const ask = ({ url }: RunningGateway, headers: Record<string, string> = {}, path = '/v1/models') =>
  fetch(url + path, { headers });

async function statuses(gateway: RunningGateway, times: number, headers: Record<string, string> = {}) {
  const found: number[] = [];
  for (let i = 0; i < times; i++) {
    const response = await ask(gateway, headers);
    await response.body?.cancel();
    found.push(response.status);
  }
  return found;
}

describe('a client', () => {
  test('may ask a burst at once, then so often a second, and is told', async () => {
    await limited({}, async (gateway, pass) => {
      const first = await ask(gateway);
      expect(first.headers.get('ratelimit-policy')).toBe('"default";q=3;w=2');
      expect(first.headers.get('ratelimit')).toBe('"default";r=2;t=1');
      expect(await statuses(gateway, 2)).toEqual([200, 200]);
      const refused = await ask(gateway);
      expect(refused.headers.get('retry-after')).toBe('1');
      expect(refused.headers.get('ratelimit')).toBe('"default";r=0;t=2');
      expect(await problemOf(refused)).toMatchObject({
        status: 429,
        title: 'Too Many Requests',
        code: 'RESOURCE_EXHAUSTED',
        detail: 'Expected at most 2 requests a second, and 3 at once, but received more (rate)',
        errors: [{ field: 'rate' }],
      });
      expect(await metric(gateway, 'vgg_http_rate_limited_total')).toBe(1);
      pass(499);
      expect(await statuses(gateway, 1)).toEqual([429]);
      pass(1);
      expect(await statuses(gateway, 2)).toEqual([200, 429]);
      pass(60_000);
      expect(await statuses(gateway, 4)).toEqual([200, 200, 200, 429]);
    });
  });

  test('may ask for probes, metrics and documents as often as it likes', async () => {
    await limited({ rateBurst: 1 }, async (gateway) => {
      expect(await statuses(gateway, 2)).toEqual([200, 429]);
      for (const path of ['/healthz', '/readyz', '/metrics', '/', '/openapi.json']) {
        const response = await ask(gateway, {}, path);
        expect(response.status).toBe(200);
        expect(response.headers.has('ratelimit')).toBe(false);
      }
    });
  });

  test('is refused a photo before it is read', async () => {
    await limited({ rateBurst: 1 }, async (gateway) => {
      await statuses(gateway, 1);
      const headers = { 'content-type': 'image/png' };
      const init = { method: 'POST', body: Buffer.alloc(5_000_000), headers };
      expect((await fetch(`${gateway.url}/v1/classify`, init)).status).toBe(429);
    });
  });

  test('has no limit by default', async () => {
    const gateway = await gatewayOf(stack);
    expect(new Set(await statuses(gateway, 60))).toEqual(new Set([200]));
    expect((await ask(gateway)).headers.has('ratelimit')).toBe(false);
    await gateway.close();
  });
});

describe('keys', () => {
  test('are counted each by itself, from whatever address', async () => {
    await limited({ apiKeys }, async (gateway) => {
      expect(await statuses(gateway, 4, { 'x-api-key': 'one' })).toEqual([200, 200, 200, 429]);
      expect(await statuses(gateway, 4, { authorization: 'Bearer two' })).toEqual([200, 200, 200, 429]);
    });
  });

  test('that are tried are counted by address', async () => {
    await limited({ apiKeys }, async (gateway) => {
      const found: number[] = [];
      for (const key of ['a', 'b', 'c', 'd', 'e'])
        found.push(...(await statuses(gateway, 1, { 'x-api-key': key })));
      expect(found).toEqual([401, 401, 401, 429, 429]);
      // Whoever has one is not concerned.
      expect(await statuses(gateway, 1, { 'x-api-key': 'one' })).toEqual([200]);
    });
  });
});

describe('X-Forwarded-For', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address });

  test('of anybody is not believed', async () => {
    await limited({}, async (gateway) => {
      const found: number[] = [];
      for (let i = 0; i < 4; i++) found.push(...(await statuses(gateway, 1, from(`192.0.2.${String(i)}`))));
      expect(found).toEqual([200, 200, 200, 429]);
    });
  });

  test('of a proxy that is named tells clients apart', async () => {
    await limited({ trustedProxies: ['loopback'], rateBurst: 1 }, async (gateway) => {
      expect(await statuses(gateway, 2, from('192.0.2.1'))).toEqual([200, 429]);
      expect(await statuses(gateway, 2, from('192.0.2.2'))).toEqual([200, 429]);
      // What the client itself put before what the proxy saw.
      expect(await statuses(gateway, 1, from('198.51.100.7, 192.0.2.2'))).toEqual([429]);
      expect(await statuses(gateway, 1, from('2001:db8:1:2::1'))).toEqual([200]);
      expect(await statuses(gateway, 1, from('2001:db8:1:2:ffff::9'))).toEqual([429]);
      expect(await statuses(gateway, 1, from('2001:db8:1:3::1'))).toEqual([200]);
    });
  });

  test.each(['10.0.0.0/33', '300.1.1.1', '::1/129', '10.0.0.0/0', '1.2'])(
    'a proxy is not %s',
    async (proxy) => {
      expect(() => {
        checkProxies([proxy], 'proxies');
      }).toThrow(`but received ${proxy} (proxies)`);
      await expect(gatewayOf(stack, { trustedProxies: [proxy] })).rejects.toThrow(
        'VGG_GATEWAY_TRUSTED_PROXIES',
      );
    },
  );

  test.each(['loopback', '10.0.0.0/8', '192.0.2.1', 'fd00::/8', '::1'])(
    'a proxy may be %s',
    async (proxy) => {
      const gateway = await gatewayOf(stack, { trustedProxies: [proxy] });
      await gateway.close();
    },
  );
});

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::1', '0:0:0:0::/64'],
  ['2001:DB8::1', '2001:db8:0:0::/64'],
  ['2001:0db8:0000:0042:1:2:3:4', '2001:db8:0:42::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s is counted as %s', (address, name) => {
  expect(clientName(address)).toBe(name);
});

describe('the memory of clients', () => {
  test('has a bound: who is longest silent is forgotten', () => {
    const limit = new RateLimit({ perSecond: 1, burst: 1 }, () => 0, 100);
    for (let i = 0; i < 100; i++) expect(limit.take(`client ${String(i)}`).allowed).toBe(true);
    expect(limit.take('client 0').allowed).toBe(false);
    for (let i = 100; i < 1000; i++) limit.take(`client ${String(i)}`);
    expect(limit.size).toBe(100);
    expect(limit.take('client 999').allowed).toBe(false);
    expect(limit.take('client 0').allowed).toBe(true);
  });

  test('never gives more than the burst and the rate, whenever requests come', () => {
    let now = 0;
    const limit = new RateLimit({ perSecond: 3, burst: 5 }, () => now);
    let allowed = 0;
    for (; now < 10_000; now += 7) if (limit.take('client').allowed) allowed++;
    expect(allowed).toBe(5 + 29);
  });
});
