// The web page in a browser, before real services: each state that a visitor can meet.

import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../../cli/stack.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import type { RunningGateway } from '../../../services/gateway/main.ts';
import { gatewayOf, services } from '../running-gateway.ts';
import { CHROMIUM, freePorts, launch, open, sound } from './browser.ts';

const PHOTO = join(packageRoot, 'test/golden/photo.png');

describe.skipIf(CHROMIUM === undefined)('the page', () => {
  let stack: Stack;
  let gateway: RunningGateway;
  let browser: Browser;
  beforeAll(async () => {
    [stack, browser] = await Promise.all([services(), launch()]);
    gateway = await gatewayOf(stack);
  });
  afterAll(async () => {
    await browser.close();
    await gateway.close();
    await stack.close();
  });

  const choose = (page: Page, file: Parameters<Page['setInputFiles']>[1] = PHOTO) =>
    page.setInputFiles('input[type=file]', file);
  const state = (page: Page, name: string) => page.locator(`[data-state=${name}]`).first().waitFor();

  test('empty: invites, and shows what can be chosen', async () => {
    const { page, close } = await open(browser, gateway.url);
    await state(page, 'empty');
    await page.getByRole('link', { name: 'About caltech-101-d' }).waitFor();
    expect(await page.getByPlaceholder('72, 92, 112').count()).toBe(1);
    await page.getByText('CC BY 4.0').waitFor();
    await sound(page, 'empty');
    await close();
  });

  test('answered: the classes, the time, and the photo', async () => {
    const { page, close } = await open(browser, gateway.url);
    await choose(page);
    await state(page, 'answered');
    const rows = page.getByRole('list', { name: /Multi-crop/ }).getByRole('listitem');
    expect(await rows.count()).toBe(5);
    expect(await rows.first().innerText()).toMatch(/elephant\s+76\.\d %/);
    await page.locator('.answer .progress').getByText('150 views').waitFor();
    expect(await page.locator('.time dt').allInnerTexts()).toEqual([
      'prepare',
      'queue',
      'compute',
      'rest',
      'in all',
    ]);
    await sound(page, 'answered');
    await close();
  });

  test('two protocols side by side', async () => {
    const { page, close } = await open(browser, `${gateway.url}/#/?compare=dense&top=3`);
    await choose(page);
    await expect.poll(() => page.locator('[data-state=answered]').count(), { timeout: 20_000 }).toBe(2);
    expect(await page.locator('.answer h2').allInnerTexts()).toEqual(['Multi-crop', 'Dense']);
    expect(await page.locator('.bars > li').count()).toBe(6);
    await sound(page, 'compare');
    await close();
  });

  test('refused: what is no photo, in the words of the server', async () => {
    const { page, close } = await open(browser, gateway.url, {}, /status of 4/);
    await choose(page, { name: 'notes.txt', mimeType: 'image/png', buffer: Buffer.from('no photo at all') });
    await state(page, 'trouble');
    await page.getByText('This is no photo that the server knows').waitFor();
    await page.getByText(/415 UNSUPPORTED_FORMAT/).waitFor();
    await sound(page, 'refused-format');
    await choose(page, {
      name: 'torn.png',
      mimeType: 'image/png',
      buffer: Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'),
    });
    await page.getByText('This cannot be answered').waitFor();
    await page.getByText(/400 INVALID_ARGUMENT/).waitFor();
    await close();
  });

  test('refused: a photo that is too large', async () => {
    const small = await gatewayOf(stack, { maxBody: 10_000 });
    const { page, close } = await open(browser, small.url, {}, /status of 413/);
    await choose(page);
    await page.getByText('This photo is too large').waitFor();
    await page.getByText(/413 TOO_LARGE/).waitFor();
    await sound(page, 'refused-large');
    await close();
    await small.close();
  });

  test('overload: counts down, and is answered when there is room', async () => {
    const crowded = await services({ VGG_INFERENCE_QUEUE: '100' });
    const before = await gatewayOf(crowded);
    const { page, close } = await open(browser, before.url, {}, /status of 429/);
    await choose(page);
    await page.getByRole('heading', { name: 'The server has much to do' }).waitFor();
    await page.getByText(/Next try in \d+ s\./).waitFor();
    await sound(page, 'overload');
    const tried = page.waitForResponse((response) => response.status() === 429);
    await tried;
    await page.getByLabel('Protocol', { exact: true }).selectOption('CENTER_CROP');
    await state(page, 'answered');
    await close();
    await before.close();
    await crowded.close();
  });

  test('cold start: waits for the services, then answers by itself', async () => {
    const port = await freePorts();
    const early = await gatewayOf({
      aggregator: { address: `127.0.0.1:${String(port)}` },
      inference: { address: `127.0.0.1:${String(port + 2)}` },
    });
    const { page, close } = await open(browser, early.url, {}, /status of 503/);
    await page.getByRole('heading', { name: 'The server is starting' }).waitFor();
    await choose(page);
    await sound(page, 'starting');
    const others = await services({}, { port });
    await state(page, 'answered');
    await close();
    await early.close();
    await others.close();
  });

  test('offline: says so, and answers once there is a connection', async () => {
    const { page, close } = await open(browser, gateway.url, {}, /ERR_INTERNET_DISCONNECTED/);
    await page.getByRole('link', { name: 'About caltech-101-d' }).waitFor();
    await page.context().setOffline(true);
    await choose(page);
    await page.getByRole('heading', { name: 'The server cannot be reached' }).waitFor();
    await sound(page, 'offline');
    await page.context().setOffline(false);
    await state(page, 'answered');
    await close();
  });

  test('an API key: asked for, refused, taken, and kept for the tab alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vgg-page-'));
    const apiKeys = join(folder, 'keys');
    await writeFile(apiKeys, `${createHash('sha256').update('right').digest('hex')} visitor\n`);
    const locked = await gatewayOf(stack, { apiKeys });
    const { page, close } = await open(browser, locked.url, {}, /status of 401/);
    await page.getByText('This server asks for an API key').waitFor();
    await sound(page, 'key');
    await page.getByLabel('API key').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The server does not know this key.').waitFor();
    await page.getByLabel('API key').fill('right');
    await page.keyboard.press('Enter');
    await choose(page);
    await state(page, 'answered');
    expect(
      await page.evaluate('[sessionStorage.length, Object.values(localStorage).includes("right")]'),
    ).toEqual([1, false]);
    await close();
    await locked.close();
    await rm(folder, { recursive: true });
  });
});
