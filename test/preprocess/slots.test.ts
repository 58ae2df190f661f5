// A bound on work at once, and a bound on waiting for it.

import { expect, test } from 'vitest';
import { Slots } from '../../services/preprocess/slots.ts';

function gate() {
  let open: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

const forever = new AbortController().signal;

test('work runs in the order in which it came, so many at once', async () => {
  const slots = new Slots({ running: 2, waiting: 9, now: () => 0 });
  const gates = [gate(), gate(), gate(), gate()];
  const begun: number[] = [];
  const runs = gates.map(({ promise }, i) =>
    slots.run(async () => {
      begun.push(i);
      await promise;
      return i;
    }, forever),
  );
  expect([begun, slots.running, slots.waiting]).toEqual([[0, 1], 2, 2]);
  gates[1]?.open();
  await runs[1];
  await Promise.resolve();
  expect([begun, slots.running, slots.waiting]).toEqual([[0, 1, 2], 2, 1]);
  for (const { open } of gates) open();
  expect(await Promise.all(runs)).toEqual([0, 1, 2, 3]);
  expect([slots.running, slots.waiting]).toEqual([0, 0]);
});

test('one too many is refused, and told when to come back', async () => {
  let time = 0;
  const slots = new Slots({ running: 1, waiting: 1, now: () => time });
  const first = gate();
  const running = slots.run(() => first.promise, forever);
  const waiting = slots.run(() => Promise.resolve('second'), forever);
  await expect(slots.run(() => Promise.resolve(), forever)).rejects.toMatchObject({
    code: 'RESOURCE_EXHAUSTED',
    message: 'Expected at most 1 photos waiting to be decoded, come back later',
    retryAfterMs: 200,
  });
  time = 900;
  first.open();
  await running;
  expect(await waiting).toBe('second');
});

test('work that fails gives its slot back', async () => {
  const slots = new Slots({ running: 1, waiting: 0, now: () => 0 });
  await expect(slots.run(() => Promise.reject(new Error('broken')), forever)).rejects.toThrow('broken');
  expect(await slots.run(() => Promise.resolve('next'), forever)).toBe('next');
});

test('who aborts while waiting leaves at once and never starts', async () => {
  const slots = new Slots({ running: 1, waiting: 2, now: () => 0 });
  const first = gate();
  const running = slots.run(() => first.promise, forever);
  const client = new AbortController();
  let started = false;
  const leaving = slots.run(() => {
    started = true;
    return Promise.resolve();
  }, client.signal);
  const staying = slots.run(() => Promise.resolve('stayed'), forever);
  client.abort(new Error('gone'));
  await expect(leaving).rejects.toThrow('gone');
  expect(slots.waiting).toBe(1);
  first.open();
  await running;
  expect(await staying).toBe('stayed');
  expect(started).toBe(false);
  await expect(slots.run(() => Promise.resolve(), client.signal)).rejects.toThrow('gone');
});
