// Entry of the onnxruntime engine's worker thread.

import { workerData } from 'node:worker_threads';
import { env, listSupportedBackends } from 'onnxruntime-node';
import { serveThread } from '../worker/thread.ts';
import type { OnnxSettings } from './engine.ts';
import { OnnxSessions } from './sessions.ts';

await serveThread(() =>
  Promise.resolve({
    facts: {
      version: env.versions.node ?? env.versions.common,
      providers: listSupportedBackends()
        .filter(({ bundled }) => bundled)
        .map(({ name }) => name),
      device: 'cpu',
    },
    sessions: new OnnxSessions((workerData as OnnxSettings).threads),
  }),
);
