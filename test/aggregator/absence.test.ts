// Photos while inference has no replica: who waits, who is told to come back and when, what is learned of starts.

import { describe, expect, test } from 'vitest';
import { Absence } from '../../services/aggregator/absence.ts';
import type { Clock } from '../../services/host/deadline.ts';
import { VggError } from '../../vgg/errors.ts';

const SECOND = 1000;

/** Time that passes when it is told to. */
class ManualClock implements Clock {
  #now = 1_000_000;
  #tasks = new Set<{ at: number; task: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const each = { at: this.#now + ms, task };
    this.#tasks.add(each);
    return () => void this.#tasks.delete(each);
  }

  get timers(): number {
    return this.#tasks.size;
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#tasks].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#tasks.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
      // What waits for a promise goes on before the next timer.
      for (let i = 0; i < 10; i++) await Promise.resolve();
    }
    this.#now = end;
  }
}

function absence(startMs = 60 * SECOND) {
  const clock = new ManualClock();
  const inference = { there: false, probes: 0 };
  const started: number[] = [];
  const probe = () => {
    inference.probes++;
    return inference.there ? Promise.resolve() : Promise.reject(new VggError('UNAVAILABLE', 'nobody'));
  };
  const absent = new Absence({ startMs, probe, clock, onStart: (ms) => started.push(ms) });
  const scope = (ms: number, signal = new AbortController().signal) => ({
    signal,
    deadline: clock.now() + ms,
  });
  return { clock, inference, started, absent, scope };
}

// What becomes of a promise, as far as it has.
function outcomeOf(promise: Promise<void>): { error?: VggError; done: boolean } {
  const outcome: { error?: VggError; done: boolean } = { done: false };
  promise.then(
    () => (outcome.done = true),
    (error: unknown) => (outcome.error = error as VggError),
  );
  return outcome;
}

describe('a photo that finds no replica', () => {
  test('waits if its deadline allows, and is counted until a replica answers', async () => {
    const { clock, inference, absent, scope } = absence();
    const outcome = outcomeOf(absent.wait(150, scope(120 * SECOND)));
    await clock.pass(30 * SECOND);
    expect(outcome).toEqual({ done: false });
    expect(absent.views).toBe(150);
    inference.there = true;
    await clock.pass(SECOND);
    expect(outcome).toEqual({ done: true });
    expect(absent.views).toBe(0);
    expect(clock.timers).toBe(0);
  });

  test('is told at once when to come back, if its deadline is before the expected start', async () => {
    const { clock, absent, scope } = absence();
    await clock.pass(SECOND);
    await expect(absent.wait(150, scope(50 * SECOND))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryAfterMs: 60 * SECOND,
      message: 'No inference service has started yet; expected in 60 s',
    });
    // It is still wanted: what scales on the backlog must see it.
    expect(absent.views).toBe(150);
    await clock.pass(20 * SECOND);
    await expect(absent.wait(10, scope(5 * SECOND))).rejects.toMatchObject({ retryAfterMs: 40 * SECOND });
    expect(absent.views).toBe(160);
  });

  test('is told to come back a moment before its deadline, if the start takes longer than expected', async () => {
    const { clock, absent, scope } = absence(2 * SECOND);
    const outcome = outcomeOf(absent.wait(150, scope(10 * SECOND)));
    await clock.pass(8.9 * SECOND);
    expect(outcome).toEqual({ done: false });
    await clock.pass(0.2 * SECOND);
    expect(outcome.error).toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: SECOND });
  });

  test('leaves with the reason of its signal', async () => {
    const { absent, scope } = absence();
    const controller = new AbortController();
    const waiting = absent.wait(150, scope(120 * SECOND, controller.signal));
    controller.abort(new VggError('CANCELLED', 'The client went away'));
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(absent.views).toBe(0);
  });
});

describe('the time of a start', () => {
  test('is learned from the last one', async () => {
    const { clock, inference, started, absent, scope } = absence();
    outcomeOf(absent.wait(150, scope(600 * SECOND)));
    await clock.pass(199.9 * SECOND);
    inference.there = true;
    await clock.pass(SECOND);
    expect(started).toHaveLength(1);
    expect(started[0]).toBeGreaterThanOrEqual(199 * SECOND);
    expect(absent.startMs).toBe(started[0]);
    inference.there = false;
    await expect(absent.wait(1, scope(60 * SECOND))).rejects.toMatchObject({ retryAfterMs: started[0] });
  });

  test('is not learned from a replica that could only not be reached for a moment', async () => {
    const { clock, inference, started, absent, scope } = absence();
    outcomeOf(absent.wait(150, scope(600 * SECOND)));
    inference.there = true;
    await clock.pass(SECOND);
    expect(started).toEqual([]);
    expect(absent.startMs).toBe(60 * SECOND);
  });

  test('is measured while anybody wants a replica, and nobody asks for one when nobody does', async () => {
    const { clock, inference, started, absent, scope } = absence();
    await expect(absent.wait(150, scope(SECOND))).rejects.toThrow(VggError);
    await clock.pass(74 * SECOND);
    expect(absent.views).toBe(150);
    await clock.pass(2 * SECOND);
    expect(absent.views).toBe(0);
    expect(clock.timers).toBe(0);
    const { probes } = inference;
    await clock.pass(600 * SECOND);
    expect(inference.probes).toBe(probes);
    // Ten minutes in which nobody asked are no start.
    expect(started).toEqual([]);
    await expect(absent.wait(150, scope(SECOND))).rejects.toMatchObject({ retryAfterMs: 60 * SECOND });
  });
});
