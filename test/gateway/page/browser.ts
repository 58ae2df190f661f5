// A browser before a gateway that runs, and what tests ask of any page. Knows no state of the page.

import { mkdir } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { packageRoot } from '../../../proto/package-root.ts';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser's file; undefined where there is none, and tests that need it are skipped. */
export const CHROMIUM = [process.env['VGG_CHROMIUM'] ?? '', ...PLACES].find((path) => existsSync(path));

if (CHROMIUM === undefined) {
  process.stderr.write('No Chromium (VGG_CHROMIUM): the tests of the web page in a browser are skipped.\n');
}

/** A port that is free, and the two after it too: those that services take which are started at it. */
export async function freePorts(): Promise<number> {
  for (;;) {
    const first = await listening(0);
    const { port } = first.address() as AddressInfo;
    const others = await Promise.allSettled([listening(port + 1), listening(port + 2)]);
    const open = [first, ...others.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))];
    await Promise.all(open.map((server) => new Promise((closed) => server.close(closed))));
    if (open.length === 3) return port;
  }
}

function listening(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(port, '127.0.0.1', () => {
      resolve(server);
    });
  });
}

/** Where pictures of each state are put, to be looked at. */
const PICTURES = join(packageRoot, 'out/page');

/** A browser with a camera that shows a test picture. */
export async function launch(): Promise<Browser> {
  return await chromium.launch({
    ...(CHROMIUM !== undefined && { executablePath: CHROMIUM }),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
    ],
  });
}

/** Sizes that the page is looked at in. */
export const NARROW = { width: 360, height: 740 };
export const WIDE = { width: 1280, height: 900 };

/**
 * The page, opened. What it logs as an error, and each request to another host, fails the test at its end.
 *
 * @param expected errors in the console that are meant to be: `status of 400`
 */
export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  expected = /$^/,
): Promise<{ page: Page; close: () => Promise<void> }> {
  const context = await browser.newContext({ viewport: WIDE, ...options });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !expected.test(message.text())) wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('request', (request) => {
    if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(new URL(url).origin)) {
      wrong.push(`a request to ${request.url()}`);
    }
  });
  await page.goto(url);
  return {
    page,
    close: async () => {
      await context.close();
      expect(wrong).toEqual([]);
    },
  };
}

interface AxeResult {
  violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[];
}

/** Fails unless axe finds nothing, in light and in dark. */
export async function accessible(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate<AxeResult>('axe.run()');
    expect(
      violations.map(({ id, nodes }) => `${id} (${colorScheme}): ${nodes.map(({ html }) => html).join(' ')}`),
    ).toEqual([]);
  }
}

// What sticks out of the page, and texts that lie over each other.
const LAYOUT = `(() => {
  const wrong = [];
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) wrong.push('the page scrolls sideways');
  const shown = [...document.querySelectorAll('h1,h2,h3,p,button,input,select,label,img,li,dt,dd,summary')].filter(
    (each) => each.checkVisibility({ visibilityProperty: true }) && !each.closest('.unseen,.skip,pre'),
  );
  const boxes = shown.map((each) => ({ each, box: each.getBoundingClientRect() })).filter(({ box }) => box.width > 0 && box.height > 0);
  const name = (each) => each.tagName + ' ' + (each.id || each.textContent.slice(0, 40));
  for (const { each, box } of boxes) {
    if (box.left < -0.5 || box.right > width + 0.5) wrong.push(name(each) + ' sticks out');
  }
  /* What is laid over a photo is meant to be there. */
  const laid = (each) => getComputedStyle(each).position === 'absolute';
  for (const [i, { each: a, box: p }] of boxes.entries()) {
    for (const { each: b, box: q } of boxes.slice(i + 1)) {
      if (laid(a) || laid(b) || a.contains(b) || b.contains(a) || a.closest('dialog') !== b.closest('dialog')) continue;
      const across = Math.min(p.right, q.right) - Math.max(p.left, q.left);
      const down = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
      if (across > 1 && down > 1) wrong.push(name(a) + ' overlaps ' + name(b));
    }
  }
  return wrong;
})()`;

/** Fails if something sticks out of the page or lies over something else, narrow or wide; keeps pictures. */
export async function tidy(page: Page, state: string): Promise<void> {
  await mkdir(PICTURES, { recursive: true });
  for (const size of [NARROW, WIDE]) {
    await page.setViewportSize(size);
    expect(await page.evaluate(LAYOUT), `${state} at ${String(size.width)}`).toEqual([]);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const path = join(PICTURES, `${state}-${String(size.width)}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
}

/** All that holds in every state. */
export async function sound(page: Page, state: string): Promise<void> {
  await tidy(page, state);
  await accessible(page);
}
