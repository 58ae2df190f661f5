// The pace of cores, from slices and yardsticks that were made up.

import { describe, expect, test } from 'vitest';
import { elasticityOf, paceOf } from '../../bench/capacity/pace.ts';
import type { Loaded, Measurement, Slice } from '../../bench/capacity/session.ts';
import type { Demands } from '../../bench/capacity/usage.ts';
import { windowsOf } from '../../bench/capacity/yardstick.ts';

const NOTHING = { main: 0, others: 0 };
const demands = (inference: number): Demands => ({
  client: NOTHING,
  aggregator: NOTHING,
  preprocess: NOTHING,
  inference: { main: inference, others: 0 },
});

// Five seconds with photos of three views, each of which takes so long.
function slice(photos: number, perView: number): Slice {
  const views = 3 * photos;
  return { seconds: 5, prepared: photos, answered: photos, views, used: demands(views * perView) };
}

// Ten windows a slice, within which the yardstick is as slow as it is said to be.
function loaded(slices: Slice[], windows: number[]): Loaded {
  return {
    ...{ part: 1, ratePerSecond: 20, seconds: 10, seed: 1, requests: 200, failed: 0, answersPerSecond: 20 },
    ...{ othersCores: 0, answers: [], demands: demands(1), slices },
    stolen: { engine: [{ from: 100, to: 200, ms: 50 }], others: [] },
    pace: { engine: windows, others: windows },
  };
}

function measurement(steps: Loaded[]): Measurement {
  return { idle: demands(10), yardstickMs: { engine: 10, others: 0 }, steps } as unknown as Measurement;
}

const flat = (ms: number) => Array.from({ length: 10 }, () => ms);

describe('a core’s pace', () => {
  const quadratic = loaded([slice(200, 1), slice(200, 4)], [...flat(1), ...flat(2)]);

  test('work’s time by the yardstick’s is told from slices, and is never beyond reason', () => {
    const root = loaded([slice(200, 1), slice(200, 2)], [...flat(1), ...flat(4)]);
    expect(elasticityOf('engine', [root])).toBeCloseTo(0.5, 9);
    expect(elasticityOf('engine', [quadratic])).toBe(1.5);
    const against = loaded([slice(200, 2), slice(200, 1)], [...flat(1), ...flat(2)]);
    expect(elasticityOf('engine', [against])).toBe(0);
    // What is the same all the time says nothing.
    expect(elasticityOf('engine', [loaded([slice(200, 1)], flat(1))])).toBe(0);
  });

  test('is the yardstick’s, as far as work follows it, and 1 on the whole', () => {
    const root = loaded([slice(200, 1), slice(200, 2)], [...flat(1), ...flat(4)]);
    const pace = paceOf(measurement([root]), 'engine', root);
    expect(pace.slowness(5000) / pace.slowness(4999)).toBeCloseTo(2, 9);
    expect((pace.slowness(0) + pace.slowness(9_999)) / 2).toBeCloseTo(1, 9);
    expect(pace.slowness(1e9)).toBe(pace.slowness(9_999));
  });

  test('says nothing of work that does not follow it', () => {
    const steady = loaded([slice(200, 1), slice(200, 1)], [...flat(1), ...flat(4)]);
    expect(paceOf(measurement([steady]), 'engine', steady).slowness(0)).toBe(1);
  });

  test('slices of few photos are taken together', () => {
    const few = loaded([slice(60, 1), slice(60, 3), slice(60, 2)], [...flat(1), ...flat(2), ...flat(1)]);
    expect(elasticityOf('engine', [few])).toBe(0);
  });

  test('windows without a sample are as the others', () => {
    const gap = loaded([slice(200, 1), slice(200, 2)], [...flat(1), 0, ...flat(4).slice(1)]);
    const pace = paceOf(measurement([gap]), 'engine', gap);
    expect(pace.slowness(5000)).toBeGreaterThan(pace.slowness(0));
    expect(pace.slowness(5000)).toBeLessThan(pace.slowness(5500));
  });

  test('what watches has its part of the core, and so has the machine’s host', () => {
    const pace = paceOf(measurement([quadratic]), 'engine', quadratic);
    expect(pace.stolen(0)).toEqual({ part: 0.02, until: 100 });
    expect(pace.stolen(150)).toEqual({ part: 0.02 + 0.98 / 2, until: 200 });
    expect(pace.stolen(250)).toEqual({ part: 0.02, until: Infinity });
    expect(paceOf(measurement([]), 'engine').stolen(0)).toEqual({ part: 0.02, until: Infinity });
  });
});

test('samples are means by window, those from before left out', () => {
  const samples = [
    [-3, 9],
    [0, 1],
    [499, 2],
    [1500, 4],
  ] as const;
  expect(windowsOf(samples, 500)).toEqual([1.5, 0, 0, 4]);
});
