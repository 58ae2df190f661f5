// docs/capacity.md says what its files say, and the parts of bench/capacity that compute.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { nonNegativeFit } from '../../bench/capacity/fit.ts';
import type { Forecast } from '../../bench/capacity/forecast.ts';
import { capacityPage, dayPicture } from '../../bench/capacity/page.ts';
import { chanceWithin } from '../../bench/capacity/repeatability.ts';
import { readSessions } from '../../bench/capacity/sessions.ts';
import { fargateHour, PRICES } from '../../infra/prices.ts';
import { packageRoot } from '../../proto/package-root.ts';

const folder = join(packageRoot, 'docs', 'capacity');
const forecast = JSON.parse(readFileSync(join(folder, 'forecast.json'), 'utf8')) as Forecast;

test('the page and its picture are what the files say', () => {
  expect(readFileSync(join(packageRoot, 'docs/capacity.md'), 'utf8')).toBe(
    capacityPage(forecast, readSessions(folder)),
  );
  expect(readFileSync(join(folder, 'day.svg'), 'utf8')).toBe(dayPicture(forecast));
});

test('a dollar of the first row, by hand', () => {
  const [row] = forecast.instances;
  const hour = (PRICES.instances['g4dn.xlarge']?.onDemand ?? 0) * 1.12;
  expect(row?.gpuPerThousand).toBeCloseTo((1000 * hour) / (3600 * 0.7 * (row?.photosPerSecond ?? 0)), 3);
  expect(fargateHour(PRICES, { vcpu: 1, memoryGb: 2 })).toBeCloseTo(0.04937, 9);
});

describe('what rounds say together', () => {
  test('is the nearer to the truth the less they differ, and the more they are', () => {
    expect(chanceWithin([5, 5], 0.15)).toBe(1);
    // Standard error of the mean of logarithms: 0.1, so −1.625 to 1.398 of it; the normal table.
    expect(chanceWithin([1, Math.exp(0.2)], 0.15)).toBeCloseTo(0.9189 - 0.0521, 3);
    expect(chanceWithin([1, 2], 0.15)).toBeLessThan(0.5);
    expect(chanceWithin([1, 2, 1, 2, 1, 2], 0.15)).toBeGreaterThan(chanceWithin([1, 2], 0.15));
  });
});

describe('fits', () => {
  test('a line with no noise is found, and nothing is less than nothing', () => {
    const rows = [
      [1, 1, 3],
      [1, 4, 4],
      [1, 3, 150],
      [1, 3, 6],
    ];
    const fitted = nonNegativeFit(
      rows,
      rows.map(([call = 0, plane = 0, view = 0]) => 3 * call + 0.5 * plane + 0.02 * view),
    );
    expect(fitted[0]).toBeCloseTo(3, 3);
    expect(fitted[1]).toBeCloseTo(0.5, 3);
    expect(fitted[2]).toBeCloseTo(0.02, 4);
    expect(nonNegativeFit([[1], [1]], [-5, -3])).toEqual([0]);
  });
});
