// A worker process of `vgg bulk`: all services in itself, photos over the channel to its parent, one answer for each.
// Knows nothing of shards; if a photo kills it, its parent knows which it had in hand.

import type { ErrorMessage, PhotoMessage, WorkerMessage } from '../../infra/bulk/pool.ts';
import { createClient } from '../../sdk/index.ts';
import { asVggError } from '../../vgg/errors.ts';
import { startStack } from '../stack.ts';
import { clientAnswerer, type WorkerOrder } from './connect.ts';

// The parent decides when to end: Ctrl-C reaches the whole group, and photos in hand are to be finished.
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => undefined);
// Without a parent there is nobody to answer to; it may have died while this file's imports were loaded.
process.on('disconnect', () => process.exit(0));
if (!process.connected) process.exit(0);

const { models, question, deadlineMs, threads } = JSON.parse(process.argv[2] ?? '') as WorkerOrder;
try {
  const stack = await startStack({
    models,
    load: question.models ?? [],
    logLevel: 'silent',
    env: { VGG_INFERENCE_THREADS: String(threads), ...process.env },
  });
  const client = createClient({ aggregator: stack.aggregator.address, deadlineMs });
  const answerer = clientAnswerer(client, question, deadlineMs);
  process.on('message', ({ id, photo }: PhotoMessage) => {
    answerer.ask(photo).then(
      (answered) => {
        tell({ id, answered });
      },
      (error: unknown) => {
        tell({ id, error: messageOf(error) });
      },
    );
  });
  tell({ ready: true });
} catch (error) {
  tell({ unable: messageOf(error) });
  process.disconnect();
}

function tell(message: WorkerMessage): void {
  // The parent may be gone: then so are we, by the event above.
  process.send?.(message, undefined, undefined, () => undefined);
}

function messageOf(error: unknown): ErrorMessage {
  const { code, message, fields, retryAfterMs } = asVggError(error);
  return { code, message, fields, ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
