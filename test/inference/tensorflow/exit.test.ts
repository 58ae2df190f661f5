// A process that has used the TensorFlow engine ends in good order, though the library's threads are its own.

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tensorFlowMissing } from '../../tensorflow-library.ts';

const ENGINE = new URL('../../../services/inference/tensorflow/engine.js', import.meta.url).href;

test.skipIf(tensorFlowMissing !== undefined)('status 0 after the engine is closed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vgg-exit-'));
  const file = join(folder, 'program.mjs');
  await writeFile(
    file,
    `import { startTensorFlowEngine } from '${ENGINE}'; await (await startTensorFlowEngine()).close();`,
  );
  const { status, signal } = spawnSync(process.execPath, [file]);
  expect({ status, signal }).toEqual({ status: 0, signal: null });
  await rm(folder, { recursive: true });
});
