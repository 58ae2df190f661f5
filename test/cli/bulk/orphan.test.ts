// Workers of `vgg bulk` do not outlive the process that started them.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { WorkerOrder } from '../../../cli/bulk/connect.ts';
import { packageRoot } from '../../../proto/package-root.ts';

const started: ReturnType<typeof fork>[] = [];

afterEach(() => {
  for (const worker of started.splice(0)) worker.kill('SIGKILL');
});

function startWorker() {
  const order: WorkerOrder = {
    models: join(packageRoot, 'models'),
    question: { protocol: 'CENTER_CROP', top: 5 },
    deadlineMs: 60_000,
    threads: 1,
  };
  const file = join(packageRoot, 'dist/cli/bulk/worker-main.js');
  const worker = fork(file, [JSON.stringify(order)], { stdio: 'ignore' });
  started.push(worker);
  return worker;
}

test('a worker whose parent is gone before it has begun ends', async () => {
  const worker = startWorker();
  const exited = once(worker, 'exit');
  worker.disconnect();
  expect(await exited).toEqual([0, null]);
});

test('a worker whose parent goes once it is ready ends', async () => {
  const worker = startWorker();
  const exited = once(worker, 'exit');
  expect(await once(worker, 'message')).toEqual([{ ready: true }, undefined]);
  worker.disconnect();
  expect(await exited).toEqual([0, null]);
});
