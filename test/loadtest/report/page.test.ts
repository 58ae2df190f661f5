// The page in a browser: light and dark, narrow and wide, to eyes and to axe; pictures of each are kept in out/page.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { htmlReport } from '../../../loadtest/report/html.ts';
import { CHROMIUM, launch, open, sound } from '../../gateway/page/browser.ts';
import { everyResult, hostile, result, step } from './results.ts';

describe.skipIf(CHROMIUM === undefined)('the page', () => {
  const results = everyResult();
  const foreseen = Object.fromEntries(
    Object.entries(results).map(([name, each]) => [
      name,
      result(each.steps.map(({ load, seconds }, i) => step(load, { seconds, seed: 90 + i }))),
    ]),
  );
  const pages: Record<string, string> = {
    ...Object.fromEntries(Object.entries(results).map(([name, each]) => [name, htmlReport(each)])),
    ...Object.fromEntries(
      Object.entries(foreseen).map(([name, predicted]) => [
        `${name}-predicted`,
        htmlReport(results[name] ?? predicted, { predicted }),
      ]),
    ),
    hostile: htmlReport(
      hostile(results['single'] ?? result([]), '"><script>document.title = "run"</script>'.repeat(3)),
    ),
  };
  let server: Server;
  let browser: Browser;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const page = pages[(request.url ?? '').slice(1)];
      response.writeHead(page === undefined ? 204 : 200, { 'content-type': 'text/html' }).end(page);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    await new Promise((resolve) => server.close(resolve));
  });

  test.each(Object.keys(pages))('%s', async (name) => {
    const { page, close } = await open(browser, `${url}/${name}`);
    expect(await page.title()).toMatch(/^Load test of /);
    await sound(page, `loadtest-${name}`);
    await close();
  });

  test('in print everything is on paper, in dark ink', async () => {
    const { page, close } = await open(browser, `${url}/search-predicted`);
    await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
    const [paper, ink] = await page.evaluate<[string, string]>(`(() => {
      const { backgroundColor, color } = getComputedStyle(document.body);
      return [backgroundColor, color];
    })()`);
    expect([paper, ink]).toEqual(['rgb(255, 255, 255)', 'rgb(28, 33, 38)']);
    const pdf = await page.pdf({ path: 'out/page/loadtest-print.pdf', format: 'A4' });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await close();
  });
});
