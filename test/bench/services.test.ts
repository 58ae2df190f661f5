// Processes that are started for benches and tests end with whoever started them, in whatever way that ends.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';

const services = pathToFileURL(join(packageRoot, 'dist/bench/services.js')).href;
const STARTER = `
const { startService } = await import('${services}');
const [one, stopped, ended] = await Promise.all(['preprocess', 'preprocess', 'preprocess'].map((name) => startService(name, {})));
stopped.signal('SIGSTOP');
await ended.stop();
console.log(JSON.stringify([one.pid, stopped.pid, ended.pid]));
setInterval(() => {}, 1000);
`;

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('were it killed, they are killed too, those that stand still as well', async () => {
  const starter = spawn(process.execPath, ['--input-type=module', '--eval', STARTER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(starter.stdout), 'line')) as [string];
  const [one = 0, stopped = 0, ended = 0] = JSON.parse(line) as number[];
  expect([lives(one), lives(stopped), lives(ended)]).toEqual([true, true, false]);
  starter.kill('SIGKILL');
  while (lives(one) || lives(stopped)) await new Promise((resolve) => setTimeout(resolve, 20));
});
