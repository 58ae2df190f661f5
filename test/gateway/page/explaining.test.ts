// Why an answer is what it is, in a browser: pointing, keys alone, another class, one of several models.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stack } from '../../../cli/stack.ts';
import { packageRoot } from '../../../proto/package-root.ts';
import type { RunningGateway } from '../../../services/gateway/main.ts';
import { gatewayOf, services } from '../running-gateway.ts';
import { CHROMIUM, launch, open, sound } from './browser.ts';

const PHOTO = join(packageRoot, 'test/golden/photo.png');
const MODEL = 'caltech-101-d';

describe.skipIf(CHROMIUM === undefined)('why', () => {
  let models: string;
  let stack: Stack;
  let gateway: RunningGateway;
  let browser: Browser;
  beforeAll(async () => {
    // The same network twice, under two names.
    models = await mkdtemp(join(tmpdir(), 'vgg-two-'));
    for (const name of [MODEL, 'twin']) {
      await cp(join(packageRoot, 'models', MODEL), join(models, name), { recursive: true });
      const file = join(models, name, 'model.json');
      const facts = JSON.parse(await readFile(file, 'utf8')) as object;
      await writeFile(file, JSON.stringify({ ...facts, name }));
    }
    [stack, browser] = await Promise.all([services({}, { models }), launch()]);
    gateway = await gatewayOf(stack);
  });
  afterAll(async () => {
    await browser.close();
    await gateway.close();
    await stack.close();
    await rm(models, { recursive: true });
  });

  async function answered(hash: string) {
    const opened = await open(browser, `${gateway.url}/${hash}`);
    await opened.page.locator('input[type=file]').first().setInputFiles(PHOTO);
    await opened.page.locator('[data-state=answered]').first().waitFor();
    await opened.page.locator('.why-cell').first().waitFor();
    return opened;
  }

  const shown = (page: Page) => page.locator('.why-name').first().innerText();
  const active = (page: Page) => page.locator('.why-cell[tabindex="0"]').getAttribute('data-view');

  test('shows the crop that is pointed at, and the one that keys walk to', async () => {
    const { page, close } = await answered('#/?scales=72');
    await page.locator('.why-cell[data-view="7"]').hover();
    expect(await active(page)).toBe('7');
    const pointed = await shown(page);
    await page.locator('.why-cell[tabindex="0"]').focus();
    await page.keyboard.press('Home');
    const first = await active(page);
    await page.keyboard.press('ArrowRight');
    const second = await active(page);
    expect(second).not.toBe(first);
    expect(await shown(page)).not.toBe(pointed);
    await page.keyboard.press('ArrowLeft');
    expect(await active(page)).toBe(first);
    await close();
  });

  test('two models are averaged, and each can be asked why', async () => {
    const { page, close } = await answered(`#/?model=${MODEL}&model=twin&protocol=ten-crop`);
    const heading = page.getByText(`${MODEL} + twin (D + D)`);
    await heading.waitFor();
    expect(await page.locator('.bars .label').first().innerText()).toBe('elephant');
    await page.locator('.why label', { hasText: 'twin' }).click();
    await page.getByText(/crops put elephant first/).waitFor();
    await sound(page, 'two-models');
    await close();
  });

  test('another class has other votes', async () => {
    const { page, close } = await answered('#/?protocol=ten-crop&scales=72');
    const votes = () =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll('.why-cell')].map((cell) => cell.getAttribute('aria-label'))`,
      );
    const before = await votes();
    await page
      .locator('.why label', { hasText: /^rhino/ })
      .first()
      .click();
    await page.getByText(/puts? rhino first/).waitFor();
    expect(await votes()).not.toEqual(before);
    await close();
  });
});
