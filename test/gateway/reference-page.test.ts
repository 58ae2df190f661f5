// The reference for people, in a real browser: that it shows every operation, asks nobody else, and breaks no rule
// of the content security policy.

import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../cli/stack.ts';
import type { RunningGateway } from '../../services/gateway/main.ts';
import { gatewayOf, problemOf, services } from './running-gateway.ts';

const BROWSER = [
  process.env['CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== '' && existsSync(path));

let stack: Stack;
let gateway: RunningGateway;
beforeAll(async () => {
  stack = await services();
  gateway = await gatewayOf(stack);
});
afterAll(async () => {
  await gateway.close();
  await stack.close();
});

describe('/docs/api', () => {
  test('lets no script run but its own', async () => {
    for (const path of ['/docs/api', '/docs/api/', '/docs/api/static/swagger-ui.css']) {
      const response = await fetch(gateway.url + path);
      expect(response.status).toBe(200);
      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toContain('unsafe-eval');
    }
  });

  test('has no file that is not there', async () => {
    const problem = await problemOf(await fetch(`${gateway.url}/docs/api/static/nothing.js`));
    expect(problem).toMatchObject({ status: 404, code: 'NOT_FOUND' });
  });

  test.skipIf(BROWSER === undefined)(
    `shows every operation, without a complaint${BROWSER === undefined ? ' (no Chromium: set CHROMIUM)' : ''}`,
    async () => {
      const browser = await chromium.launch({ executablePath: BROWSER ?? '', args: ['--no-sandbox'] });
      try {
        const page = await browser.newPage();
        const complaints: string[] = [];
        const hosts = new Set<string>();
        page.on('console', (message) => {
          if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
        });
        page.on('pageerror', ({ message }) => complaints.push(message));
        page.on('response', (response) => {
          if (response.status() >= 400) complaints.push(`${String(response.status())} ${response.url()}`);
        });
        page.on('request', (request) => {
          const { protocol, host } = new URL(request.url());
          if (protocol.startsWith('http')) hosts.add(host);
        });
        await page.goto(`${gateway.url}/docs/api`);
        await page.waitForSelector('.opblock');
        const shown = await page.locator('.opblock-summary-path').allTextContents();
        for (const path of ['/v1/classify', '/v1/models', '/v1/models/{name}', '/openapi.json']) {
          expect(shown.map((each) => each.replaceAll('\u200b', ''))).toContain(path);
        }
        await page.locator('#operations-classify-classify .opblock-summary-control').click();
        await page.waitForSelector('#operations-classify-classify .parameters');
        expect(await page.locator('#operations-classify-classify').textContent()).toContain('scoreMaps');
        await page.locator('#operations-classify-classify .response-col_status').first().waitFor();
        expect(complaints).toEqual([]);
        expect([...hosts]).toEqual([new URL(gateway.url).host]);
      } finally {
        await browser.close();
      }
    },
  );
});
