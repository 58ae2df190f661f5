import { describe, expect, test } from 'vitest';
import { randomAt, streamOf } from '../../vgg/random.ts';

test('xoshiro128** gives the numbers of its authors’ code', () => {
  const stream = streamOf([1, 2, 3, 4]);
  const drawn = Array.from({ length: 10 }, () => stream.bits());
  expect(drawn).toEqual([
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ]);
});

describe('keys', () => {
  const first = (...keys: [number, ...(number | string)[]]) => randomAt(...keys).bits();

  test('the same seed and keys give the same numbers', () => {
    const [one, other] = [randomAt(7, 'crop', 3, 11), randomAt(7, 'crop', 3, 11)];
    for (let i = 0; i < 100; i++) expect(one.next()).toBe(other.next());
  });

  test('other keys, another order or number of them, give others', () => {
    const lists: [number, ...(number | string)[]][] = [
      [0],
      [1],
      [-1],
      [2 ** 32],
      [2 ** 40],
      [0, 0],
      [0, 1],
      [1, 0],
      [0, ''],
      [0, 'a'],
      [0, 'ab'],
      [0, 'a', 'b'],
      [0, 'ba'],
    ];
    expect(new Set(lists.map((keys) => first(...keys))).size).toBe(lists.length);
  });

  test('neighbouring streams are unrelated', () => {
    const count = 20_000;
    const draws = Array.from({ length: count }, (_, i) => randomAt(5, 'dropout', i).next());
    const mean = draws.reduce((sum, each) => sum + each, 0) / count;
    let lagged = 0;
    for (let i = 1; i < count; i++) lagged += ((draws[i - 1] ?? NaN) - 0.5) * ((draws[i] ?? NaN) - 0.5);
    // Five standard errors.
    expect(Math.abs(mean - 0.5)).toBeLessThan(5 * Math.sqrt(1 / 12 / count));
    expect(Math.abs(lagged / count)).toBeLessThan(5 / 12 / Math.sqrt(count));
  });
});

describe('distributions', () => {
  test('normal numbers have the moments and tails of the normal distribution', () => {
    const stream = randomAt(1, 'normal');
    const count = 200_000;
    const draws = Float64Array.from({ length: count }, () => stream.normal());
    const moment = (power: number) => draws.reduce((sum, each) => sum + each ** power, 0) / count;
    expect(Math.abs(moment(1))).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
    const beyond2 = draws.filter((each) => Math.abs(each) > 2).length / count;
    expect(beyond2).toBeCloseTo(0.0455, 2);
  });

  test('whole numbers are equally frequent', () => {
    const stream = randomAt(2, 'integer');
    const counts = new Uint32Array(7);
    for (let i = 0; i < 70_000; i++) {
      const drawn = stream.integer(7);
      counts[drawn] = (counts[drawn] ?? 0) + 1;
    }
    // Chi-squared with 6 degrees of freedom is above 22.5 once in a thousand times.
    expect(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(22.5);
    expect(randomAt(0).integer(1)).toBe(0);
    expect(randomAt(0).integer(2 ** 32)).toBeGreaterThanOrEqual(0);
  });

  test('shuffling gives every order as often', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = randomAt(3, 'order', i).shuffle([1, 2, 3]).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(150);
    expect(randomAt(3).shuffle(Int32Array.of(1, 2, 3)).length).toBe(3);
  });
});
