// Entry of the onnxruntime engine's worker thread.

import { workerData } from 'node:worker_threads';
import { env } from 'onnxruntime-node';
import { serveThread } from '../worker/thread.ts';
import { checkCuda, PROVIDERS } from './cuda.ts';
import type { OnnxSettings } from './engine.ts';
import { OnnxSessions } from './sessions.ts';

await serveThread(async () => {
  const { threads, device } = workerData as OnnxSettings;
  if (device === 'gpu') await checkCuda();
  return {
    facts: {
      version: env.versions.node ?? env.versions.common,
      providers: [...PROVIDERS[device]],
      device,
    },
    sessions: new OnnxSessions(threads, device),
  };
});
