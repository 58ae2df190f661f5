// A photo's CPU, by hand and against the simulation, which spends the same costs one piece of work at a time.

import { expect, test } from 'vitest';
import { FREE, type ServiceCosts } from '../../../loadtest/simulate/costs.ts';
import { MEASURED_COSTS } from '../../../loadtest/simulate/deployment.ts';
import { photoCpu } from '../../../loadtest/simulate/photo-cpu.ts';
import { simulate } from '../../../loadtest/simulate/simulate.ts';
import { fixed, photoOf, poisson, systemOf } from './systems.ts';

test('is the sum of calls, planes, megabytes, views and pixels', () => {
  const costs = {
    ...MEASURED_COSTS,
    aggregator: { call: 1, plane: 2, megabyte: 10, view: 100, helpers: 0.5 },
    ...{ preprocess: FREE, inference: { ...FREE, view: 1000 } },
    pixels: { decode: { call: 1, megapixel: 2 }, resize: { call: 3, megapixel: 4 } },
  };
  const planes = [
    { megabytes: 0.1, megapixels: 1 },
    { megabytes: 0.2, megapixels: 2 },
  ];
  // Aggregator: 1 + 2·2 + 10·(0.3 + 0.3) + 100·5 = 511; pixels: 1 + 2·0.5 + 2·3 + 4·3 = 20.
  expect(photoCpu(costs, { megabytes: 0.3, megapixels: 0.5, views: 5, planes })).toEqual({
    ...{ loop: 511 + 5000, beside: 511 / 2 + 20 },
  });
});

const { aggregator, preprocess, inference } = MEASURED_COSTS;
const WITHOUT_HELPERS: ServiceCosts = {
  ...MEASURED_COSTS,
  aggregator: { ...aggregator, helpers: 0 },
  preprocess: { ...preprocess, helpers: 0 },
  inference: { ...inference, helpers: 0 },
};

// What was in hand when the last answer came is not counted; and bursts of helpers are as long as chance has it.
test.each<[string, ServiceCosts, number]>([
  ['without helpers', WITHOUT_HELPERS, 3],
  ['with them', MEASURED_COSTS, 2],
])('is what the simulated services spend on one, %s', async (_, costs, digits) => {
  const plain = photoOf(6, 3);
  const photo = {
    ...{ ...plain, megabytes: 0.1125, megapixels: 0.1875 },
    planes: plain.planes.map((plane, i) => ({ ...plane, megabytes: 0.2 + i, megapixels: 0.1 + i })),
  };
  const fleet = { tasks: 1, vcpu: 4, start: [] };
  const settings = systemOf(fixed(1), {
    fleets: { gateway: fleet, aggregator: fleet, preprocess: fleet, inference: fleet },
    costs: { ...costs, client: FREE },
  });
  const { step, system } = await simulate({
    ...poisson(settings, photo, { rate: 1, seconds: 2000 }),
    warmUpSeconds: 0,
  });
  expect(step.requests.failed).toBe(0);
  const used = (['aggregator', 'preprocess', 'inference'] as const).reduce(
    (sum, service) => sum + system.fleet(service).usedMs,
    0,
  );
  const { loop, beside } = photoCpu(costs, photo);
  expect(used / step.requests.answered / (loop + beside)).toBeCloseTo(1, digits);
});
