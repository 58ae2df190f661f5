// Signals with a deadline: they abort once, with a reason, and leave nothing behind.

import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { orAborted, scope, type Clock } from '../../services/host/deadline.ts';
import { VggError } from '../../vgg/errors.ts';

function fakeClock() {
  const timers = new Set<{ at: number; task: () => void }>();
  let time = 1000;
  const clock: Clock = {
    now: () => time,
    after(ms, task) {
      const timer = { at: time + ms, task };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  const advance = (ms: number) => {
    time += ms;
    for (const timer of [...timers]) {
      if (timer.at > time) continue;
      timers.delete(timer);
      timer.task();
    }
  };
  return { clock, timers, advance };
}

const reason = new VggError('CANCELLED', 'away');

test('aborts at the deadline, not before', () => {
  const { clock, advance, timers } = fakeClock();
  const { signal } = scope(1050, [], clock);
  advance(49);
  expect(signal.aborted).toBe(false);
  advance(1);
  expect(signal.reason).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  expect(timers.size).toBe(0);
});

test('aborts with a parent, for its reason, and leaves no listener or timer', () => {
  const { clock, timers } = fakeClock();
  const [one, other] = [new AbortController(), new AbortController()];
  const { signal } = scope(1050, [one.signal, other.signal], clock);
  other.abort(reason);
  expect(signal.reason).toBe(reason);
  expect(timers.size).toBe(0);
  expect(getEventListeners(one.signal, 'abort')).toHaveLength(0);
});

test('is aborted from the start where a parent is', () => {
  const { clock, timers } = fakeClock();
  expect(scope(1050, [AbortSignal.abort(reason)], clock).signal.reason).toBe(reason);
  expect(timers.size).toBe(0);
});

test('a disposed scope is never aborted by time', () => {
  const { clock, advance, timers } = fakeClock();
  const parent = new AbortController();
  const { signal, dispose } = scope(1050, [parent.signal], clock);
  dispose();
  expect(timers.size).toBe(0);
  expect(getEventListeners(parent.signal, 'abort')).toHaveLength(0);
  advance(100);
  expect(signal.aborted).toBe(false);
});

test('the first reason stays', () => {
  const { clock } = fakeClock();
  const { signal, abort } = scope(Infinity, [], clock);
  abort(reason);
  abort(new VggError('INTERNAL', 'later'));
  expect(signal.reason).toBe(reason);
});

test('orAborted gives the result, or the reason, and takes its listener away', async () => {
  const controller = new AbortController();
  expect(await orAborted(Promise.resolve(1), controller.signal)).toBe(1);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  const waiting = orAborted(new Promise(() => {}), controller.signal);
  controller.abort(reason);
  await expect(waiting).rejects.toBe(reason);
  await expect(orAborted(Promise.resolve(1), controller.signal)).rejects.toBe(reason);
});
