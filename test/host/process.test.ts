// The life of a process that serves: a signal ends it, at whatever moment it comes.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';

const PROCESS = pathToFileURL(join(packageRoot, 'dist/services/host/process.js')).href;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vgg-process-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

// What becomes of a process whose start runs `body`, and which then lives until it is told to end.
async function ended(body: string): Promise<unknown> {
  const file = join(folder, 'entry.mjs');
  writeFileSync(
    file,
    `import { runIfMain } from ${JSON.stringify(PROCESS)};
     // Were the signal lost, it would live on for ever; so long is enough to say so.
     const life = setTimeout(() => process.exit(99), 10_000);
     await runIfMain(import.meta.url, 'test', async () => {
       ${body}
       return { drain: async () => {}, close: async () => {} };
     });`,
  );
  const child = spawn(process.execPath, [file], { stdio: 'ignore' });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status;
}

test('a signal before the start is over ends it at once', async () => {
  expect(await ended(`process.kill(process.pid, 'SIGTERM'); await new Promise(() => {});`)).toBe(143);
});

test.each(['SIGTERM', 'SIGINT'])('%s at the very end of the start is not lost', async (signal) => {
  expect(await ended(`process.kill(process.pid, '${signal}');`)).toBe(0);
});

test('a signal after the start drains', async () => {
  expect(await ended(`setTimeout(() => process.kill(process.pid, 'SIGTERM'), 100);`)).toBe(0);
});
