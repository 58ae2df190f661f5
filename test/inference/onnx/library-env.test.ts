// onnxruntime tells nobody what it runs: nothing of what its telemetry keeps is written by a service that serves.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startService } from '../../../bench/services.ts';

let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'vgg-home-'));
});

afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

test('a service that has loaded its models leaves nothing in the user’s folders', async () => {
  // In CI the library's telemetry is off by itself; here it must be the service that turns it off.
  const folders = { HOME: home, XDG_CACHE_HOME: join(home, 'cache'), TMPDIR: home, CI: '' };
  const service = await startService('inference', folders);
  await service.stop();
  expect(readdirSync(home, { recursive: true })).toEqual([]);
});
