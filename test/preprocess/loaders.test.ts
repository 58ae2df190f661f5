// Which image loaders may run is the process's: threads that start must not disturb those that decode.

import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { packageRoot } from '../../proto/package-root.ts';
import { sharp } from '../../services/preprocess/loaders.ts';

const LOADERS = join(packageRoot, 'dist/services/preprocess/loaders.js');

test('threads that start meanwhile disturb no decoding, and what is blocked stays blocked for them', async () => {
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .png()
    .toBuffer();
  const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>';
  for (let i = 0; i < 4; i++) {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.loaders).then(async ({ sharp }) => {
        const read = await sharp(Buffer.from(workerData.svg)).raw().toBuffer().catch(() => undefined);
        parentPort.postMessage(read === undefined);
      });`;
    const worker = new Worker(source, { eval: true, workerData: { loaders: LOADERS, svg } });
    const answer = new Promise<unknown>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    const ended = new AbortController();
    const decoding = (async () => {
      let decoded = 0;
      while (!ended.signal.aborted) decoded += (await sharp(png).raw().toBuffer()).length;
      return decoded;
    })();
    expect(
      await answer.finally(() => {
        ended.abort();
      }),
    ).toBe(true);
    expect(await decoding).toBeGreaterThan(0);
    await worker.terminate();
  }
});
