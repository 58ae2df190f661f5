// A process that has used the TensorFlow engine ends in good order, though the library's threads are its own.

import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { tensorFlowMissing } from '../../tensorflow-library.ts';

const ENGINE = new URL('../../../services/inference/tensorflow/engine.js', import.meta.url).href;

test.skipIf(tensorFlowMissing !== undefined)('status 0 after the engine is closed', () => {
  const code = `const { startTensorFlowEngine } = await import('${ENGINE}'); await (await startTensorFlowEngine()).close();`;
  const { status, signal } = spawnSync(process.execPath, ['--input-type=module', '-e', code]);
  expect({ status, signal }).toEqual({ status: 0, signal: null });
});
