// The web page as it is used: ways to bring a photo, keys alone, the answer as it forms, links, copies.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../../cli/stack.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import type { RunningGateway } from '../../../services/gateway/main.ts';
import { serveFakes } from '../../sdk/fake-services.ts';
import { gatewayOf, services } from '../running-gateway.ts';
import { CHROMIUM, launch, open, sound } from './browser.ts';

const PHOTO = join(packageRoot, 'test/golden/photo.png');
const ANSWERED = '[data-state=answered]';

// A file in a DataTransfer, as an event of a page brings it.
const BRING = (event: string, base64: string) => `(() => {
  const bytes = Uint8Array.from(atob('${base64}'), (each) => each.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], 'brought.png', { type: 'image/png' }));
  const options = { bubbles: true, cancelable: true };
  document.body.dispatchEvent(${event});
})()`;

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

  const answered = (page: Page) => page.locator(ANSWERED).first().waitFor();
  const best = (page: Page) => page.locator('.bars .label').first().innerText();

  test.each([
    ['dropped', "new DragEvent('drop', { dataTransfer: data, ...options })"],
    ['pasted', "new ClipboardEvent('paste', { clipboardData: data, ...options })"],
  ])('takes a photo that is %s', async (_way, event) => {
    const { page, close } = await open(browser, gateway.url);
    await page.getByRole('link', { name: 'About caltech-101-d' }).waitFor();
    await page.evaluate(BRING(event, readFileSync(PHOTO).toString('base64')));
    await answered(page);
    expect(await best(page)).toBe('elephant');
    await page.getByText('brought.png', { exact: true }).waitFor();
    await close();
  });

  test('takes a photo with the camera, and turns it off', async () => {
    const { page, close } = await open(browser, gateway.url, { permissions: ['camera'] });
    await page.evaluate(`(() => {
      const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
      navigator.mediaDevices.getUserMedia = async (wanted) => (window.opened = await real(wanted));
    })()`);
    await page.getByRole('button', { name: 'Camera' }).click();
    const shutter = page.getByRole('button', { name: 'Take the photo' });
    await expect.poll(() => shutter.isEnabled()).toBe(true);
    await sound(page, 'camera');
    await shutter.click();
    await answered(page);
    await page.getByText('camera.jpg', { exact: true }).waitFor();
    const states = 'window.opened.getTracks().map((track) => track.readyState)';
    expect(await page.evaluate(states)).toEqual(['ended']);
    expect(await page.getByRole('dialog').count()).toBe(0);
    await close();
  });

  test('is used with keys alone, from the first to the last', async () => {
    const { page, close } = await open(browser, gateway.url);
    await page.getByRole('link', { name: 'About caltech-101-d' }).waitFor();
    const focused = () =>
      page.evaluate<string>(
        '(document.activeElement.getAttribute("aria-label") || document.activeElement.innerText || document.activeElement.id).trim()',
      );
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    expect(await focused()).toMatch(/^Photo/);
    const order: string[] = [];
    for (let i = 0; i < 3; i++) {
      await page.keyboard.press('Tab');
      order.push(await focused());
      const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
      expect(outline).toBe('solid');
    }
    expect(order).toEqual(['Choose a photo', 'Camera', 'elephant']);
    await page.keyboard.press('Enter');
    await answered(page);
    expect(await best(page)).toBe('elephant');
    const second = page.locator('.bars button').nth(1);
    await second.focus();
    await page.keyboard.press('Space');
    expect(await second.getAttribute('aria-pressed')).toBe('true');
    await page.locator('.elsewhere summary').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: 'curl' }).focus();
    await page.keyboard.press('End');
    expect(await page.getByRole('tab', { name: 'JSON' }).getAttribute('aria-selected')).toBe('true');
    expect(JSON.parse(await page.locator('.elsewhere pre').innerText())).toMatchObject({ views: 150 });
    await sound(page, 'json');
    await close();
  });

  test('grows its bars where they are, says how far it is, and can be cancelled', async () => {
    const model = (await (await fetch(`${gateway.url}/v1/models/caltech-101-d`)).json()) as object;
    let end = (): void => undefined;
    const scored = (viewsDone: number, score: number) => ({
      viewsDone,
      viewsTotal: 150,
      answer: {
        models: ['caltech-101-d'],
        networks: ['D'],
        protocol: 'PROTOCOL_MULTI_CROP' as const,
        scales: [72, 92, 112],
        views: viewsDone,
        engine: 'onnx',
        predictions: [{ label: 'elephant', classIndex: 35, score }],
        timing: { prepareMs: 5, queueMs: 0, computeMs: 40, totalMs: 50 },
      },
    });
    const wait = new Promise<void>((resolve) => (end = resolve));
    let go = (): void => undefined;
    const more = new Promise<void>((resolve) => (go = resolve));
    const slow = await serveFakes({
      inference: {
        ListModels: () => ({ models: [{ ...model, kernel: 'KERNEL_LINEAR' as const }] }),
      },
      aggregator: {
        async *ClassifyStream() {
          yield scored(10, 0.3);
          await more;
          yield scored(60, 0.9);
          await wait;
        },
      },
    });
    const before = await gatewayOf({ aggregator: slow, inference: slow });
    const { page, close } = await open(browser, before.url);
    await page.getByRole('link', { name: 'About caltech-101-d' }).waitFor();
    await page.setInputFiles('input[type=file]', PHOTO);
    await page.getByText('10 of 150 views', { exact: true }).waitFor();
    const places = () =>
      page.evaluate(
        '[...document.querySelectorAll(".bars li, .progress")].map((each) => each.getBoundingClientRect().top)',
      );
    const then = await places();
    go();
    await page.getByText('60 of 150 views', { exact: true }).waitFor();
    expect(await places()).toEqual(then);
    expect(await page.getByText('90.0 %').count()).toBe(1);
    await sound(page, 'forming');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('cancelled after 60 of 150 views', { exact: true }).waitFor();
    await sound(page, 'cancelled');
    end();
    await close();
    await before.close();
    await slow.close();
  });

  test('asks again when a setting changes, and a link brings the settings back', async () => {
    const { page, close } = await open(browser, gateway.url);
    await page.getByRole('button', { name: 'chair' }).click();
    await answered(page);
    await page.getByLabel('Protocol', { exact: true }).selectOption('DENSE');
    await page.getByText('6 views', { exact: true }).last().waitFor();
    await page.getByLabel('Scales').fill('80, 96');
    await page.getByText(/at 80, 96, onnx/).waitFor();
    const address = page.url();
    expect(new URL(address).hash).toBe('#/?protocol=dense&scales=80,96');
    await page.getByLabel('Scales').fill('12');
    await page.getByText('Expected scales ≥ 64 but received 12 (scales[0])').first().waitFor();
    await close();
    const again = await open(browser, address);
    expect(await again.page.getByLabel('Protocol', { exact: true }).inputValue()).toBe('DENSE');
    expect(await again.page.getByLabel('Scales').inputValue()).toBe('80,96');
    await again.close();
  });

  test('has a page for each model, and a theme that is remembered', async () => {
    const { page, close } = await open(browser, gateway.url, { colorScheme: 'light' });
    await page.getByRole('link', { name: 'About caltech-101-d' }).click();
    await page.getByRole('heading', { name: 'caltech-101-d' }).waitFor();
    await sound(page, 'model');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.getByRole('combobox', { name: 'Theme' }).selectOption('dark');
    const ground = 'getComputedStyle(document.body).backgroundColor';
    await expect.poll(() => page.evaluate(ground)).toBe('rgb(19, 22, 24)');
    await page.reload();
    await page.getByRole('heading', { name: 'caltech-101-d' }).waitFor();
    await expect.poll(() => page.evaluate(ground)).toBe('rgb(19, 22, 24)');
    await close();
  });
});
