// How much counters grew, services that were restarted included.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseExposition } from '../../../loadtest/server-side/exposition.ts';
import { increases, reading, valueIn } from '../../../loadtest/server-side/increase.ts';

const readings = (...texts: string[]) => texts.map((text, i) => reading(1000 * i, parseExposition(text)));

describe('growth', () => {
  test('is summed over series, and over what passed', () => {
    const grown = increases(
      readings('c{x="1"} 1\nc{x="2"} 5', 'c{x="1"} 3\nc{x="2"} 5', 'c{x="1"} 4\nc{x="2"} 15'),
    );
    expect(grown.seconds).toBe(2);
    expect(grown.restarted).toBe(false);
    expect(grown.sum('c')).toBe(13);
    expect(Object.fromEntries(grown.by('c', 'x'))).toEqual({ 1: 3, 2: 10 });
    expect(grown.sum('d')).toBe(0);
    expect(grown.by('c', 'y').size).toBe(0);
  });

  test('of a series that is new is all of it', () => {
    expect(increases(readings('', 'c{x="1"} 3', 'c{x="1"} 4')).sum('c')).toBe(4);
  });

  test('does not depend on the order of labels', () => {
    expect(increases(readings('c{x="1",y="2"} 3', 'c{y="2",x="1"} 4')).sum('c')).toBe(1);
  });

  test('leaves out what is not a number', () => {
    expect(increases(readings('c 1', 'c NaN', 'c 5')).sum('c')).toBeLessThanOrEqual(5);
    expect(increases(readings('c +Inf', 'c +Inf')).sum('c')).toBe(0);
  });

  test('of one reading is none', () => {
    const grown = increases(readings('c 7'));
    expect([grown.seconds, grown.sum('c')]).toEqual([0, 0]);
  });
});

describe('a restart', () => {
  test('is seen by a counter that fell, and what it counted since is growth', () => {
    const grown = increases(readings('c_total 90', 'c_total 100', 'c_total 4', 'c_total 6'));
    expect(grown.restarted).toBe(true);
    expect(grown.sum('c_total')).toBe(16);
  });

  test('is seen by the start of the process, even if the counter has overtaken its old self', () => {
    const grown = increases(
      readings('c_total 3\nprocess_start_time_seconds 100', 'c_total 8\nprocess_start_time_seconds 160'),
    );
    expect(grown.restarted).toBe(true);
    expect(grown.sum('c_total')).toBe(8);
  });

  test("is seen by our processes' own id, though the next one began in the same second and is ahead", () => {
    const text = (id: string, value: number) =>
      `c_total ${String(value)}\nprocess_start_time_seconds 100\nvgg_process_info{id="${id}"} 1`;
    const replaced = increases(readings(text('a', 3), text('b', 8)));
    expect(replaced.restarted).toBe(true);
    expect(replaced.sum('c_total')).toBe(8);
    // Another start says nothing beside the same id: the clock of the machine may be set.
    const same = increases(readings(text('a', 3), text('a', 8).replace('seconds 100', 'seconds 101')));
    expect(same.restarted).toBe(false);
    expect(same.sum('c_total')).toBe(5);
  });

  test('is none where a gauge falls', () => {
    expect(increases(readings('queued 100\nc_total 1', 'queued 0\nc_total 1')).restarted).toBe(false);
  });

  test('never makes growth negative, and loses no more than what was not read', () => {
    const steps = fc.array(fc.record({ add: fc.nat(100), restart: fc.boolean() }), {
      minLength: 1,
      maxLength: 20,
    });
    fc.assert(
      fc.property(steps, (all) => {
        let [value, true_, start] = [50, 0, 1];
        const texts = [`c_total ${String(value)}\nprocess_start_time_seconds ${String(start)}`];
        for (const { add, restart } of all) {
          if (restart) [value, start] = [0, start + 10];
          value += add;
          true_ += add;
          texts.push(`c_total ${String(value)}\nprocess_start_time_seconds ${String(start)}`);
        }
        const grown = increases(readings(...texts));
        expect(grown.sum('c_total')).toBe(true_);
        expect(grown.restarted).toBe(all.some(({ restart }) => restart));
      }),
    );
  });
});

test('gauges are summed over their series', () => {
  const [first] = readings('q{i="1"} 3\nq{i="2"} 4\nn NaN');
  expect(first && valueIn(first, 'q')).toBe(7);
  expect(first && valueIn(first, 'n')).toBeUndefined();
  expect(first && valueIn(first, 'none')).toBeUndefined();
});
