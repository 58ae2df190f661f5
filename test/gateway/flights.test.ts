// Computations that several wait for, in any order of coming and leaving. Knows no service.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eachOf } from '../../services/gateway/answers/batch.ts';
import { Flights } from '../../services/gateway/answers/flights.ts';
import { VggError } from '../../vgg/errors.ts';

// A computation that ends when it is told to, or with the reason of its signal.
class Computation {
  readonly signal: AbortSignal;
  readonly deadline: number;
  readonly value: Promise<string>;
  finish: (value: string) => void = () => undefined;
  fail: (error: Error) => void = () => undefined;

  constructor(signal: AbortSignal, deadline: number) {
    this.signal = signal;
    this.deadline = deadline;
    this.value = new Promise((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error);
      });
    });
  }
}

function table() {
  const flights = new Flights<string>(100);
  const begun: Computation[] = [];
  const join = (key: string, deadline = 50) => {
    const leave = new AbortController();
    const { value, joined } = flights.join(key, { signal: leave.signal, deadline }, (signal, latest) => {
      const computation = new Computation(signal, latest);
      begun.push(computation);
      return computation.value;
    });
    const outcome = value.then(
      (each) => each,
      (error: unknown) => (error as Error).message,
    );
    return {
      outcome,
      joined,
      leave: () => {
        leave.abort(new VggError('CANCELLED', 'left'));
      },
    };
  };
  return { flights, begun, join };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a computation', () => {
  test('is made once, and cancelled if and only if all have left before its end', async () => {
    const waiters = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(waiters, fc.func(fc.nat()), async (leaves, order) => {
        const { flights, begun, join } = table();
        const all = leaves.map((leaving) => ({ leaving, ...join('key') }));
        expect(all.map(({ joined }) => joined)).toEqual(all.map((_each, i) => i > 0));
        expect(flights.waiting('key')).toBe(all.length);
        const leavers = all.filter(({ leaving }) => leaving);
        for (const { leave } of leavers.sort((a, b) => order(all.indexOf(a)) - order(all.indexOf(b))))
          leave();
        await settle();
        const everybody = leavers.length === all.length;
        expect(begun).toHaveLength(1);
        expect(begun[0]?.signal.aborted).toBe(everybody);
        expect(flights.size).toBe(everybody ? 0 : 1);
        begun[0]?.finish('value');
        const outcomes = await Promise.all(all.map(({ outcome }) => outcome));
        expect(outcomes).toEqual(all.map(({ leaving }) => (leaving ? 'left' : 'value')));
        await settle();
        expect(flights.size).toBe(0);
      }),
    );
  });

  test('whose failure is told to all is not joined any more', async () => {
    const { begun, join } = table();
    const [one, other] = [join('key'), join('key')];
    begun[0]?.fail(new VggError('UNAVAILABLE', 'lost'));
    expect(await Promise.all([one.outcome, other.outcome])).toEqual(['lost', 'lost']);
    const next = join('key');
    expect(next.joined).toBe(false);
    begun[1]?.finish('value');
    expect(await next.outcome).toBe('value');
  });

  test('that is being cancelled is not joined', async () => {
    const { begun, join } = table();
    const first = join('key');
    first.leave();
    await settle();
    const next = join('key');
    expect(next.joined).toBe(false);
    begun[1]?.finish('value');
    expect([await first.outcome, await next.outcome]).toEqual(['left', 'value']);
    expect(begun[1]?.signal.aborted).toBe(false);
  });

  test('of another key is another', async () => {
    const { begun, join } = table();
    const all = [join('a'), join('b')];
    begun[0]?.finish('A');
    begun[1]?.finish('B');
    expect(await Promise.all(all.map(({ outcome }) => outcome))).toEqual(['A', 'B']);
  });

  test('goes on past the deadline of whoever began it, and is not joined by who waits longer than it can', async () => {
    const { flights, begun, join } = table();
    const [first, within, beyond] = [join('key', 50), join('key', 150), join('key', 151)];
    expect([first.joined, within.joined, beyond.joined]).toEqual([false, true, false]);
    expect(begun.map(({ deadline }) => deadline)).toEqual([150, 251]);
    begun[0]?.finish('early');
    expect(await Promise.all([first.outcome, within.outcome])).toEqual(['early', 'early']);
    // The end of the first is not that of the second.
    expect(flights.waiting('key')).toBe(1);
    begun[1]?.finish('late');
    expect(await beyond.outcome).toBe('late');
  });

  test('is cancelled where the one who asks has left already', async () => {
    const { flights, begun } = table();
    const gone = AbortSignal.abort(new VggError('CANCELLED', 'left'));
    const { value } = flights.join('key', { signal: gone, deadline: 1 }, (signal, latest) => {
      const computation = new Computation(signal, latest);
      begun.push(computation);
      return computation.value;
    });
    await expect(value).rejects.toThrow('left');
    expect(begun[0]?.signal.aborted).toBe(true);
    expect(flights.size).toBe(0);
  });
});

test('several items are worked on a few at a time, and come in their order whatever fails', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 30 }), async (items) => {
      let atOnce = 0;
      let most = 0;
      const results = await eachOf(items, async (item) => {
        most = Math.max(most, ++atOnce);
        // Later ones overtake.
        for (let i = 0; i < 10 - item; i++) await Promise.resolve();
        atOnce--;
        if (item < 0) throw new VggError('INVALID_ARGUMENT', String(item));
        return item;
      });
      const seen = results.map((each) => ('value' in each ? each.value : Number(each.error.message)));
      expect(seen).toEqual(items);
      expect(results.map((each) => 'error' in each)).toEqual(items.map((item) => item < 0));
      expect(most).toBeLessThanOrEqual(4);
    }),
  );
});
