// Entry of a thread that makes pieces: it takes the next number from shared memory, makes the piece, posts it, and
// rests while it is far enough ahead of the reader. Nothing here waits for the reader's thread to run.

import { parentPort, workerData } from 'node:worker_threads';
import { asVggError } from '../../../vgg/errors.ts';
import { CONTROL, type ThreadData, type ThreadMessage } from './messages.ts';
import { PieceMaker } from './pieces.ts';

if (!parentPort) throw new Error('This file runs as a worker thread');
const port = parentPort;
const { job, control, first, count = Infinity, ahead } = workerData as ThreadData;
const cells = new Int32Array(control);

function send(message: ThreadMessage, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

// False when it is time to end.
function mayMake(place: number): boolean {
  for (;;) {
    if (Atomics.load(cells, CONTROL.closed) === 1) return false;
    const asked = Atomics.load(cells, CONTROL.asked);
    if (place < asked + ahead) return true;
    Atomics.wait(cells, CONTROL.asked, asked);
  }
}

async function work(): Promise<void> {
  const maker = new PieceMaker(job);
  for (;;) {
    const place = Atomics.add(cells, CONTROL.taken, 1);
    if (place >= count || !mayMake(place)) return;
    const piece = await maker.make(first + place);
    send({ kind: 'piece', place, piece }, [piece.pixels.buffer, piece.classes.buffer]);
    Atomics.add(cells, CONTROL.made, 1);
    Atomics.notify(cells, CONTROL.made);
  }
}

try {
  await work();
} catch (error) {
  const { code, message, cause } = asVggError(error);
  send({
    kind: 'failure',
    code,
    message,
    cause: cause instanceof Error ? (cause.stack ?? cause.message) : String(cause),
  });
}
