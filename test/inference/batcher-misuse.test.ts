// The batcher used wrongly: one clear error, and nothing else is lost.

import { expect, test } from 'vitest';
import { Batcher } from '../../services/inference/batcher.ts';
import { VggError } from '../../vgg/errors.ts';

const unit = { shapeKey: 'crop', cost: 1, views: { length: 1 } };

function open(signal: AbortSignal = new AbortController().signal) {
  const batcher = new Batcher<typeof unit, number>({
    queueViews: 10,
    now: () => 0,
    schedule: (run) => {
      run();
    },
  });
  const target = { batchLimit: () => 1, score: () => Promise.resolve([1]) };
  return { batcher, job: batcher.open({ target, rank: 0, deadline: 1, signal, reserve: 0 }) };
}

test('units after the end', () => {
  const { job } = open();
  job.end();
  expect(() => {
    job.add([unit]);
  }).toThrow('Expected units before the end of the job');
});

test('a job with a signal that is aborted already', () => {
  const reason = new VggError('CANCELLED', 'Client went away');
  expect(() => open(AbortSignal.abort(reason))).toThrow(reason);
});

test('units for a job that has failed are not computed', async () => {
  const { job, batcher } = open();
  job.fail(new VggError('CANCELLED', 'Client went away'));
  job.add([unit]);
  expect(batcher.queuedViews).toBe(0);
  await expect(job[Symbol.asyncIterator]().next()).rejects.toThrow('Client went away');
});

test('failing twice keeps the first reason', async () => {
  const { job } = open();
  job.fail(new VggError('CANCELLED', 'first'));
  job.fail(new VggError('INTERNAL', 'second'));
  await expect(job[Symbol.asyncIterator]().next()).rejects.toThrow('first');
});

test('an abort after the end of the job leaves no listener behind', async () => {
  const controller = new AbortController();
  const { job } = open(controller.signal);
  job.end();
  for await (const scored of job) expect.unreachable(JSON.stringify(scored));
  controller.abort(new Error('late'));
  expect((await job[Symbol.asyncIterator]().next()).done).toBe(true);
});
