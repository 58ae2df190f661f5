import { describe, expect, test } from 'vitest';
import { arrivalTimes } from '../../loadtest/arrivals/arrivals.ts';
import { area, fitted, length, momentsOf, steady, type Curve } from '../../loadtest/arrivals/curve.ts';
import { namedCurve, parseTrace } from '../../loadtest/arrivals/trace.ts';
import { randomAt } from '../../vgg/random.ts';

const times = (spread: 'poisson' | 'constant', curve: Curve, warmUpSeconds = 0, seed = 1) => [
  ...arrivalTimes({ spread, curve, warmUpSeconds }, randomAt(seed, 'arrivals')),
];

describe('constant arrivals', () => {
  test('are equally far apart, and as many as the rate says', () => {
    expect(times('constant', steady(4, 1))).toEqual([125, 375, 625, 875]);
  });

  test('begin with the warm-up, at negative times', () => {
    expect(times('constant', steady(2, 1), 1)).toEqual([-750, -250, 250, 750]);
  });

  test('follow a rate that rises: the area below the curve between two is 1', () => {
    const rising = [{ seconds: 10, from: 0, to: 10 }];
    const [first = 0, second = 0] = times('constant', rising);
    // Area t²/2 in seconds.
    expect(first).toBeCloseTo(1000 * Math.sqrt(1), 6);
    expect(second).toBeCloseTo(1000 * Math.sqrt(3), 6);
    expect(times('constant', rising)).toHaveLength(50);
  });
});

describe('Poisson arrivals', () => {
  const gaps = (() => {
    const all = times('poisson', steady(100, 1000));
    return all.slice(1).map((ms, i) => ms - (all[i] ?? 0));
  })();
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;

  test('gaps have the mean and the deviation of an exponential distribution', () => {
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(mean).toBeCloseTo(10, 0);
    expect(deviation / mean).toBeCloseTo(1, 1);
  });

  test('as many gaps are short as should be', () => {
    for (const part of [0.1, 0.5, 0.9, 0.99]) {
      const below = gaps.filter((gap) => gap < -10 * Math.log(1 - part)).length / gaps.length;
      expect(Math.abs(below - part)).toBeLessThan(0.01);
    }
  });

  test('counts of seconds vary as much as they are large', () => {
    const counts = Array.from({ length: 1000 }, () => 0);
    for (const ms of times('poisson', steady(100, 1000))) {
      const second = Math.floor(ms / 1000);
      counts[second] = (counts[second] ?? 0) + 1;
    }
    const average = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const variance = counts.reduce((sum, count) => sum + (count - average) ** 2, 0) / counts.length;
    expect(variance / average).toBeGreaterThan(0.85);
    expect(variance / average).toBeLessThan(1.15);
  });

  test('the same seed gives the same ones, another seed others', () => {
    expect(times('poisson', steady(10, 10), 1, 3)).toEqual(times('poisson', steady(10, 10), 1, 3));
    expect(times('poisson', steady(10, 10), 1, 3)).not.toEqual(times('poisson', steady(10, 10), 1, 4));
  });

  test('follow the curve, piece by piece', () => {
    const curve = [
      { seconds: 100, from: 10, to: 10 },
      { seconds: 100, from: 50, to: 50 },
      { seconds: 100, from: 0, to: 0 },
      { seconds: 100, from: 10, to: 30 },
    ];
    const counts = [0, 0, 0, 0];
    for (const ms of times('poisson', curve)) {
      const piece = Math.floor(ms / 100_000);
      counts[piece] = (counts[piece] ?? 0) + 1;
    }
    const [low = 0, high = 0, none = 0, rising = 0] = counts;
    expect(Math.abs(low - 1000)).toBeLessThan(4 * Math.sqrt(1000));
    expect(Math.abs(high - 5000)).toBeLessThan(4 * Math.sqrt(5000));
    expect(none).toBe(0);
    expect(Math.abs(rising - 2000)).toBeLessThan(4 * Math.sqrt(2000));
  });
});

describe('a curve', () => {
  const saw = [{ seconds: 10, from: 0, to: 20 }];

  test('is cut or repeated to a length', () => {
    expect(fitted(saw, 5)).toEqual([{ seconds: 5, from: 0, to: 10 }]);
    expect(fitted(saw, 25)).toEqual([...saw, ...saw, { seconds: 5, from: 0, to: 10 }]);
    expect(length(fitted(saw, 25))).toBe(25);
    expect(area(saw)).toBe(100);
  });

  test('moments ascend, and stay in it, whatever its pieces are', () => {
    const random = randomAt(5, 'curve');
    const curve = Array.from({ length: 50 }, () => ({
      seconds: random.next() + 0.01,
      from: random.integer(3) * 20 * random.next(),
      to: random.integer(3) * 20 * random.next(),
    }));
    let last = 0;
    let count = 0;
    for (const moment of momentsOf(curve, () => 0.1)) {
      expect(moment).toBeGreaterThanOrEqual(last);
      last = moment;
      count++;
    }
    expect(last).toBeLessThanOrEqual(length(curve));
    expect(Math.abs(count - area(curve) * 10)).toBeLessThanOrEqual(1);
  });
});

describe('a trace', () => {
  test('has a line for each stretch', () => {
    expect(parseTrace('# a day\n60 5   # quiet\n\n30 5..40\r\n.5 40.5\n', 'day.txt')).toEqual([
      { seconds: 60, from: 5, to: 5 },
      { seconds: 30, from: 5, to: 40 },
      { seconds: 0.5, from: 40.5, to: 40.5 },
    ]);
  });

  test.each([
    ['60', 'Expected SECONDS RATE or SECONDS FROM..TO but received 60 (t.txt, line 1)'],
    ['60 5\n60 -5', 'Expected SECONDS RATE or SECONDS FROM..TO but received 60 -5 (t.txt, line 2)'],
    ['0 5', 'Expected more than 0 seconds but received 0 5 (t.txt, line 1)'],
    ['60 0', 'Expected a rate above 0 but received none (t.txt)'],
    ['', 'Expected a rate above 0 but received none (t.txt)'],
  ])('that says %j is refused', (text, message) => {
    expect(() => parseTrace(text, 't.txt')).toThrow(message);
  });

  test('some are known by name', () => {
    expect(namedCurve('burst:5..50', 60)).toEqual([
      { seconds: 10, from: 5, to: 5 },
      { seconds: 5, from: 50, to: 50 },
    ]);
    expect(namedCurve('ramp:1..9', 60)).toEqual([{ seconds: 60, from: 1, to: 9 }]);
    const day = namedCurve('day:2..10', 240) ?? [];
    expect(length(day)).toBeCloseTo(240, 9);
    expect(Math.min(...day.map(({ from }) => from))).toBeCloseTo(2, 9);
    expect(day.findIndex(({ from }) => from > 9.999)).toBe(16);
    expect(area(day) / 240).toBeCloseTo(6, 9);
    expect(namedCurve('day.txt', 60)).toBeUndefined();
    expect(() => namedCurve('burst:50..5', 60)).toThrow('HIGH above LOW');
  });
});
