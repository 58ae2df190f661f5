// Threads that die: their reader is told, and does not wait for ever.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Job } from '../../../services/trainer/photos/pieces.ts';
import { OrderedPieces } from '../../../services/trainer/photos/threads.ts';
import { put, scratchFolder, smallRecipe } from './folders.ts';

const job: Job = {
  kind: 'training',
  root: '/nowhere',
  photos: [],
  recipe: smallRecipe(),
  mean: { red: 0, green: 0, blue: 0 },
  axes: [],
};

function open(code: string, count?: number): OrderedPieces {
  const folder = scratchFolder();
  put(folder, 'thread.mjs', code);
  const entry = pathToFileURL(join(folder, 'thread.mjs'));
  const pieces = new OrderedPieces(job, {
    threads: 1,
    ahead: 2,
    entry,
    ...(count !== undefined && { count }),
  });
  onTestFinished(() => pieces.close());
  return pieces;
}

const POST = `
import { parentPort } from 'node:worker_threads';
const post = (place) => parentPort.postMessage({ kind: 'piece', place, piece: place });
`;

describe('a thread that', () => {
  test.each([
    ['throws', 'throw new Error("boom")', 'A thread that reads photos died'],
    ['exits', 'process.exit(3)', 'A thread that reads photos ended with status 3'],
    ['ends without a word', '', 'A thread that reads photos ended with status 0'],
  ])('%s is an error for all who wait and come', async (_, code, message) => {
    const pieces = open(code);
    const waiting = [pieces.next(), pieces.next()].map((each) => expect(each).rejects.toThrow(message));
    await Promise.all(waiting);
    await expect(pieces.next()).rejects.toMatchObject({ code: 'INTERNAL', message });
  });

  test('ends before the last piece of a known number is an error', async () => {
    const pieces = open(`${POST} post(0);`, 2);
    expect(await pieces.next()).toBe(0);
    await expect(pieces.next()).rejects.toThrow('ended with status 0');
  });

  test('ends after its last piece is none', async () => {
    const pieces = open(`${POST} post(1); post(0);`, 2);
    expect([await pieces.next(), await pieces.next()]).toEqual([0, 1]);
  });

  test('posts pieces out of order gives them in order', async () => {
    const pieces = open(`${POST} for (const place of [2, 0, 3, 1]) post(place);`, 4);
    const read = [pieces.next(), pieces.next(), pieces.next(), pieces.next()];
    expect(await Promise.all(read)).toEqual([0, 1, 2, 3]);
  });
});

test('a failure has its code and message, and its cause stays inside', async () => {
  const pieces = open(`
import { parentPort } from 'node:worker_threads';
parentPort.postMessage({ kind: 'failure', code: 'TOO_LARGE', message: 'Expected less', cause: 'deep' });`);
  await expect(pieces.next()).rejects.toMatchObject({
    code: 'TOO_LARGE',
    message: 'Expected less',
    cause: { message: 'deep' },
  });
});
